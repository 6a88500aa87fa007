/**
 * What decides which way a model goes.
 *
 * @module
 */

import { Random } from "../../../testing/random.ts";

/** Chooses among so many possibilities. */
export interface Chooser {
  /** A whole number from 0 and below `count`. */
  choose(count: number): number;
}

/** Chooses by chance, the same way for the same seed. */
export class RandomChooser implements Chooser {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  choose(count: number): number {
    return this.#random.integer(0, count - 1);
  }
}

/** Goes all ways of a given length, one after the other. Beyond that length it takes the first. */
export class EveryChooser implements Chooser {
  readonly #depth: number;
  readonly #way: number[] = [];
  readonly #counts: number[] = [];
  #at = 0;

  constructor(depth: number) {
    this.#depth = depth;
  }

  choose(count: number): number {
    const at = this.#at++;
    if (at >= this.#depth) return 0;
    this.#counts[at] = count;
    return this.#way[at] ??= 0;
  }

  /** Turns to the next way. Returns whether there is one. */
  next(): boolean {
    this.#counts.length = Math.min(this.#at, this.#depth);
    this.#at = 0;
    this.#way.length = this.#counts.length;
    while (this.#way.length > 0) {
      const last = this.#way.length - 1;
      if (++this.#way[last]! < this.#counts[last]!) return true;
      this.#way.pop();
      this.#counts.pop();
    }
    return false;
  }
}
