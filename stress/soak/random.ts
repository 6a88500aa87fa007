/**
 * Chance that can be had again: the same seed makes the same choices.
 *
 * @module
 */

/** Numbers that look random. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
    // The first numbers of neighbouring seeds are alike.
    for (let i = 0; i < 8; i++) this.below(1);
  }

  /** At least 0, and below a bound. */
  below(bound: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#state / 2 ** 32 * bound;
  }

  /** An integer, both bounds included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.below(most - least + 1));
  }

  /** How long it takes until something happens that happens every so often on average. */
  wait(mean: number): number {
    return -Math.log(1 - this.below(1)) * mean;
  }

  /** One of them. */
  pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.below(from.length))]!;
  }

  /** One of them, the more likely the greater its weight. */
  weighted<T>(from: readonly (readonly [weight: number, value: T])[]): T {
    let rest = this.below(from.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, value] of from) {
      if ((rest -= weight) < 0) return value;
    }
    return from.at(-1)![1];
  }
}
