/**
 * Waiting until something is empty.
 *
 * @module
 */

/** A wait that any number of callers share and that ends with {@linkcode Latch.reached}. */
export class Latch {
  #promise: Promise<void> | undefined;
  #resolve: (() => void) | undefined;

  /** Resolves at the next {@linkcode Latch.reached}. */
  wait(): Promise<void> {
    return this.#promise ??= new Promise((resolve) => this.#resolve = resolve);
  }

  /** Ends the wait of all who wait now. */
  open(): void {
    this.#resolve?.();
    this.#promise = this.#resolve = undefined;
  }
}
