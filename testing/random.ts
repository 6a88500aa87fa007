/**
 * Chance that can be had again: the same seed makes the same choices.
 *
 * @module
 */

import { mersenne } from "pure-rand/generator/mersenne";

/** Numbers that look random. */
export class Random {
  readonly #generator: ReturnType<typeof mersenne>;

  constructor(seed: number) {
    // Seeds here are small and follow each other. Generators that only copy the seed then begin alike.
    this.#generator = mersenne(seed);
  }

  /** At least 0, and below a bound. */
  below(bound: number): number {
    // Its distributions of integers are exact, and take several times as long.
    return (this.#generator.next() >>> 0) / 2 ** 32 * bound;
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
    return from[this.integer(0, from.length - 1)]!;
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
