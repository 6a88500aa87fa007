/**
 * A latch: callers wait until it opens.
 *
 * @module
 */

/** Any number of callers can wait for the next {@linkcode Latch.open}. They share one promise. */
export class Latch {
  #promise: Promise<void> | undefined;
  #resolve: (() => void) | undefined;

  /** Resolves at the next {@linkcode Latch.open}. */
  wait(): Promise<void> {
    return this.#promise ??= new Promise((resolve) => this.#resolve = resolve);
  }

  /** Resolves all pending waits. Later waits are for the next call. */
  open(): void {
    this.#resolve?.();
    this.#promise = this.#resolve = undefined;
  }
}
