/**
 * A budget that fills up again.
 *
 * @module
 */

/** Allows so many a second, and as many at once as have been saved up. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #now: () => number;
  #tokens: number;
  #filledAt: number;

  /**
   * @param perSecond How many it allows a second in the long run.
   * @param burst How many it allows at once.
   * @param now Tells the time in milliseconds.
   */
  constructor(perSecond: number, burst: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#now = now;
    this.#tokens = burst;
    this.#filledAt = now();
  }

  /** Takes one, if there is one. */
  take(): boolean {
    const now = this.#now();
    const seconds = (now - this.#filledAt) / 1_000;
    // Infinity times nothing is no number.
    if (seconds > 0) this.#tokens = Math.min(this.#burst, this.#tokens + seconds * this.#perSecond);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
