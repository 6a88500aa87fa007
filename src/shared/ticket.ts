/**
 * A connection that waits for room at several levels.
 *
 * @module
 */

import type { RefusalReason } from "../core/reasons.ts";

/** A key that counts connections. */
export interface CountingKey {
  /** A connection that it has counted has closed. */
  release(): void;
}

/**
 * Collects the answers for one connection. All levels are asked at once. If one refuses, what the others have granted goes
 * back, once all have answered.
 */
export class Ticket {
  readonly #keys: readonly CountingKey[];
  readonly #settled: (reason: RefusalReason | undefined) => void;
  readonly #granted: boolean[];
  #left: number;
  #reason: RefusalReason | undefined;
  #refusedBy = Infinity;

  /**
   * @param keys The keys of the levels, in the order in which their reasons count.
   * @param settled Is called once: with a reason, or with none if all have granted.
   */
  constructor(keys: readonly CountingKey[], settled: (reason: RefusalReason | undefined) => void) {
    this.#keys = keys;
    this.#settled = settled;
    this.#left = keys.length;
    this.#granted = keys.map(() => false);
  }

  /** A key has counted the connection. */
  granted(key: CountingKey): void {
    this.#granted[this.#keys.indexOf(key)] = true;
    this.#answered();
  }

  /** A key has not counted the connection. */
  refused(key: CountingKey, reason: RefusalReason): void {
    const level = this.#keys.indexOf(key);
    if (level < this.#refusedBy) [this.#refusedBy, this.#reason] = [level, reason];
    this.#answered();
  }

  #answered(): void {
    if (--this.#left > 0) return;
    if (this.#reason !== undefined) {
      this.#keys.forEach((key, level) => {
        if (this.#granted[level]) key.release();
      });
    }
    this.#settled(this.#reason);
  }
}
