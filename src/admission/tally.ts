/**
 * The most frequent clients among any number, in bounded memory.
 *
 * @module
 */

import type { ClientKey } from "../core/client_key.ts";
import type { RefusalReason } from "../core/reasons.ts";

/** What a tally keeps of a client. */
export interface Tallied {
  /** How often it has been added, at least. */
  count: number;
  /** The reason of the last time. */
  reason: RefusalReason;
}

/** Longer keys are cut to {@linkcode KEPT} characters, so that nobody can fill the memory with long names. */
const LONGEST = 128;
const KEPT = 64;

/**
 * Counts refusals by client, for at most `capacity` clients at a time. Where a client has no place, the median count is
 * subtracted from all clients, and those that are left with nothing are forgotten. So a count is too low by `error` at
 * most, and `error` is at most `2 * total / capacity`: each time, at least half of the clients lose the median. Every client
 * with more than `error` refusals is there. A refusal costs one look-up in a map, whoever is refused.
 */
export class Tally {
  /** All refusals. */
  total = 0;
  /** How much too low a count may be. 0 as long as no more than `capacity` clients have been there. */
  error = 0;
  readonly #capacity: number;
  readonly #clients = new Map<ClientKey, Tallied>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The number of clients that are there. */
  get size(): number {
    return this.#clients.size;
  }

  /** The most clients that have been there at once: all of them, unless there is an `error`. */
  get most(): number {
    return this.error > 0 ? this.#capacity : this.size;
  }

  /** Counts a refusal. */
  add(client: ClientKey, reason: RefusalReason): void {
    this.total++;
    const tallied = this.#clients.get(client);
    if (tallied === undefined) return this.#insert(shorten(client), reason);
    tallied.count++;
    tallied.reason = reason;
  }

  /** What is kept of a client, if it is there. */
  get(client: ClientKey): Tallied | undefined {
    return this.#clients.get(client);
  }

  /** Iterates over the clients. */
  [Symbol.iterator](): IterableIterator<[ClientKey, Tallied]> {
    return this.#clients.entries();
  }

  /** Forgets everything. */
  clear(): void {
    this.total = this.error = 0;
    this.#clients.clear();
  }

  #insert(client: ClientKey, reason: RefusalReason): void {
    const clients = this.#clients;
    // A key that has been cut may be there.
    const tallied = clients.get(client);
    if (tallied === undefined && clients.size >= this.#capacity) this.#subtract();
    clients.set(client, { count: (tallied?.count ?? 0) + 1, reason });
  }

  #subtract(): void {
    const counts = Float64Array.from(this.#clients.values(), ({ count }) => count).sort();
    const median = counts[counts.length >> 1]!;
    this.error += median;
    for (const [client, tallied] of this.#clients) {
      if ((tallied.count -= median) <= 0) this.#clients.delete(client);
    }
  }
}

/** A key that is not too long. Its characters are copied one by one: a slice would keep the whole key in memory. */
function shorten(client: ClientKey): ClientKey {
  if (typeof client === "number" || client.length <= LONGEST) return client;
  return `${String.fromCharCode(...Array.from({ length: KEPT }, (_, at) => client.charCodeAt(at)))}…`;
}
