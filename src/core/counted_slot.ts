/**
 * The slots of a limiter.
 *
 * @module
 */

import { type ClientKey, clientName } from "./client_key.ts";
import type { Counts } from "./counts.ts";
import { INTERNALS, type LimiterInternals } from "./internals.ts";
import type { Slot } from "./slot.ts";

/** The implementation of {@linkcode Slot}. */
export class CountedSlot implements Slot {
  readonly #client: ClientKey;
  /** `undefined` after the release. Each slot has its own flag, so a second release cannot free another slot. */
  #counts: Counts | undefined;

  static {
    // It names the limiter, so that no connection is counted twice.
    Object.defineProperty(this.prototype, INTERNALS, {
      get(this: CountedSlot): LimiterInternals | undefined {
        return this.#counts && { counts: this.#counts };
      },
    });
  }

  constructor(client: ClientKey, counts: Counts) {
    this.#client = client;
    this.#counts = counts;
  }

  get admitted(): true {
    return true;
  }

  get client(): string {
    return clientName(this.#client);
  }

  get released(): boolean {
    return this.#counts === undefined;
  }

  release(): void {
    const counts = this.#counts;
    if (counts === undefined) return;
    this.#counts = undefined;
    this.end(counts, this.#client);
    counts.observer?.released(this);
  }

  /** Takes the connection out of the counts. */
  protected end(counts: Counts, client: ClientKey): void {
    counts.subtract(client);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
