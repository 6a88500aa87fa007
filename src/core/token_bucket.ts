/**
 * A token bucket.
 *
 * @module
 */

/** Limits a rate, with bursts. The bucket starts full and refills steadily. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #now: () => number;
  #tokens: number;
  #filledAt: number;

  /**
   * @param perSecond Tokens added per second.
   * @param burst The bucket's capacity in tokens.
   * @param now A monotonic clock, in milliseconds.
   */
  constructor(perSecond: number, burst: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#now = now;
    this.#tokens = burst;
    this.#filledAt = now();
  }

  /** Takes a token. Returns `false` if the bucket is empty. */
  take(): boolean {
    const now = this.#now();
    const seconds = (now - this.#filledAt) / 1_000;
    // With `perSecond: Infinity`, zero seconds would add NaN.
    if (seconds > 0) this.#tokens = Math.min(this.#burst, this.#tokens + seconds * this.#perSecond);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Gives back a token that was taken. */
  giveBack(): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + 1);
  }
}
