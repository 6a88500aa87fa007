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

/** Refusals that wait to be counted, so that a busy server's caches are not filled anew for each of them. */
const BATCH = 64;

/**
 * Counts refusals by client, for at most `capacity` clients at a time. Where a client has no place, the median count is
 * subtracted from all clients, and those that are left with nothing are forgotten. So a count is too low by `error` at
 * most, and `error` is at most `2 * total / capacity`: each time, at least half of the clients lose the median. Every client
 * with more than `error` refusals is there.
 */
export class Tally {
  readonly #capacity: number;
  #clients = new Map<ClientKey, Tallied>();
  #total = 0;
  #error = 0;
  /** How many refusals wait. The arrays keep their length, since V8 would allocate them anew. */
  #waiting = 0;
  readonly #keys: ClientKey[] = Array(BATCH).fill(0);
  readonly #reasons: RefusalReason[] = Array(BATCH).fill("client");

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** All refusals. */
  get total(): number {
    return this.#total + this.#waiting;
  }

  /** How much too low a count may be. 0 as long as no more than `capacity` clients have been there. */
  get error(): number {
    this.#count();
    return this.#error;
  }

  /** The number of clients that are there. */
  get size(): number {
    this.#count();
    return this.#clients.size;
  }

  /** The most clients that have been there at once: all of them, unless there is an `error`. */
  get most(): number {
    return this.error > 0 ? this.#capacity : this.size;
  }

  /** Counts a refusal. */
  add(client: ClientKey, reason: RefusalReason): void {
    const at = this.#waiting;
    this.#keys[at] = typeof client === "string" && client.length > LONGEST ? shorten(client) : client;
    this.#reasons[at] = reason;
    if ((this.#waiting = at + 1) === BATCH) this.#count();
  }

  /** What is kept of a client, if it is there. */
  get(client: ClientKey): Tallied | undefined {
    this.#count();
    return this.#clients.get(client);
  }

  /** Iterates over the clients. */
  [Symbol.iterator](): IterableIterator<[ClientKey, Tallied]> {
    this.#count();
    return this.#clients.entries();
  }

  /** Forgets everything. */
  clear(): void {
    this.#total = this.#error = this.#waiting = 0;
    this.#clients.clear();
  }

  #count(): void {
    const waiting = this.#waiting;
    this.#waiting = 0;
    this.#total += waiting;
    for (let at = 0; at < waiting; at++) this.#add(this.#keys[at]!, this.#reasons[at]!);
  }

  #add(client: ClientKey, reason: RefusalReason): void {
    const tallied = this.#clients.get(client);
    if (tallied !== undefined) {
      tallied.count++;
      tallied.reason = reason;
      return;
    }
    if (this.#clients.size >= this.#capacity) this.#subtract();
    this.#clients.set(client, { count: 1, reason });
  }

  #subtract(): void {
    const before = this.#clients;
    const median = medianOf(before.values());
    this.#error += median;
    // A map of those that are left is cheaper than to delete the others one by one.
    this.#clients = new Map();
    for (const [client, tallied] of before) {
      if ((tallied.count -= median) > 0) this.#clients.set(client, tallied);
    }
  }
}

/** The upper median of the counts. In a flood of different clients it is 1, which needs no sorting. */
function medianOf(clients: Iterable<Tallied>): number {
  const counts = Float64Array.from(clients, ({ count }) => count);
  const half = counts.length >> 1;
  let ones = 0;
  for (const count of counts) if (count === 1) ones++;
  return ones > half ? 1 : counts.sort()[half]!;
}

/** A key that is cut. Its characters are copied one by one: a slice would keep the whole key in memory. */
function shorten(client: string): string {
  return `${String.fromCharCode(...Array.from({ length: KEPT }, (_, at) => client.charCodeAt(at)))}…`;
}
