/**
 * The slots of a shared limiter.
 *
 * @module
 */

import type { Counts } from "../core/counts.ts";
import type { Slot } from "../core/slot.ts";
import type { SharedKey } from "./shared_key.ts";
import { unobserved } from "./unobserved.ts";

/** A slot that counts here, and in the store. */
export class SharedSlot implements Slot {
  readonly #slot: Slot;
  readonly #counts: Counts;
  readonly #keys: readonly SharedKey[];

  constructor(slot: Slot, counts: Counts, keys: readonly SharedKey[]) {
    this.#slot = slot;
    this.#counts = counts;
    this.#keys = keys;
  }

  get admitted(): true {
    return true;
  }

  get client(): string {
    return this.#slot.client;
  }

  get released(): boolean {
    return this.#slot.released;
  }

  release(): void {
    const { released } = this.#slot;
    if (released) return;
    unobserved(this.#counts, () => this.#slot.release());
    for (const key of this.#keys) key.release();
    this.#counts.observer?.released(this);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
