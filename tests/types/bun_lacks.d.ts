/** What Bun has and its types lack. */
interface WritableStreamDefaultController {
  readonly signal: AbortSignal;
}
