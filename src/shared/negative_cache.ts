/**
 * Keys that a store had no room for, for a moment.
 *
 * @module
 */

import type { ClientKey } from "../core/client_key.ts";

/** The most keys that are kept. Beyond it the oldest go, and cost a question more. */
const CAPACITY = 10_000;

/** Remembers refusals of a store, so that a client that keeps coming costs it no more than one question at a time. */
export class NegativeCache {
  readonly #until = new Map<ClientKey, number>();

  /** Whether a key was refused, and the time that this holds is not over. */
  has(key: ClientKey, now: () => number): boolean {
    if (this.#until.size === 0) return false;
    const until = this.#until.get(key);
    if (until === undefined) return false;
    if (until > now()) return true;
    this.#until.delete(key);
    return false;
  }

  /** Remembers a refusal. */
  add(key: ClientKey, until: number): void {
    this.#until.delete(key);
    this.#until.set(key, until);
    if (this.#until.size > CAPACITY) this.#until.delete(this.#until.keys().next().value!);
  }

  /** There may be room again. */
  delete(key: ClientKey): void {
    if (this.#until.size > 0) this.#until.delete(key);
  }

  /** There may be room again everywhere. */
  clear(): void {
    this.#until.clear();
  }
}
