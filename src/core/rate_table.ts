/**
 * How fast clients come, in bounded memory.
 *
 * It is the generic cell rate algorithm: for each client the time at which its burst will be whole again. A new connection
 * moves that time by one interval, and is due if it then is within the time of a burst from now.
 *
 * @module
 */

import type { ClientKey } from "./client_key.ts";
import type { CompiledRate } from "./rate.ts";

/**
 * A table for one group of clients. Entries that say nothing leave as others come, two at a time, so that no call has much
 * to do. If the table is full, the entry that is nearest to saying nothing leaves.
 *
 * An entry is a number, the same in all arrays: arrays of numbers need no object for each client.
 */
export class RateTable {
  readonly #entries = new Map<ClientKey, number>();
  readonly #keys: ClientKey[] = [];
  /** When the burst of an entry is whole again. From then on, the entry says nothing. */
  readonly #whole: number[] = [];
  /** What `#whole` was when the heap was put in order for the entry. A connection of a known client moves nothing there. */
  readonly #order: number[] = [];
  /** The entries, as a binary heap by `#order`. */
  readonly #heap: number[] = [];
  /** Entries that have left. */
  readonly #free: number[] = [];

  /** The number of clients that are remembered. */
  get size(): number {
    return this.#heap.length;
  }

  /** Ticks from now until the burst of a client is whole again, 0 if it is. It changes nothing. */
  spent(key: ClientKey, { span }: CompiledRate, now: number): number {
    const entry = this.#entries.get(key);
    return entry === undefined ? 0 : Math.max(0, Math.min(this.#whole[entry]! - now, span));
  }

  /**
   * Takes a connection, if it is due.
   *
   * @param take Whether to take it. 0: not even if it is due; 1: if it is due; 2: in any case.
   * @returns Ticks from now until it is due. 0 if it is, or less.
   */
  take(key: ClientKey, { interval, span }: CompiledRate, now: number, maxTracked: number, take: 0 | 1 | 2): number {
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      if (take > 0) this.#add(key, now + interval, maxTracked);
      this.#tidy(now);
      return 0;
    }
    // It can be more than a burst only where the rate is another one by now. The client then waits for the new one.
    const spent = Math.max(0, Math.min(this.#whole[entry]! - now, span));
    const wait = spent + interval - span;
    this.#whole[entry] = now + (take > +(wait > 0) ? Math.min(spent + interval, span) : spent);
    if (this.#order[this.#heap[0]!]! <= now) this.#tidy(now);
    return wait;
  }

  #add(key: ClientKey, whole: number, maxTracked: number): void {
    const heap = this.#heap;
    while (heap.length >= maxTracked) this.#settleFirst(Infinity);
    const entry = this.#free.pop() ?? heap.length;
    this.#entries.set(key, entry);
    this.#keys[entry] = key;
    this.#whole[entry] = this.#order[entry] = whole;
    let at = heap.push(entry) - 1;
    for (let parent; at > 0 && this.#order[heap[parent = (at - 1) >> 1]!]! > whole; at = parent) {
      heap[at] = heap[parent]!;
    }
    heap[at] = entry;
  }

  #tidy(now: number): void {
    for (let i = 0; i < 2 && this.#order[this.#heap[0]!]! <= now; i++) this.#settleFirst(now);
  }

  /** Forgets the first entry, if it says nothing at `time`. If it has moved on, puts it where it belongs. */
  #settleFirst(time: number): void {
    const heap = this.#heap;
    const order = this.#order;
    let entry = heap[0]!;
    if (this.#whole[entry]! > order[entry]!) order[entry] = this.#whole[entry]!;
    else if (order[entry]! > time) return;
    else {
      this.#entries.delete(this.#keys[entry]!);
      this.#free.push(entry);
      entry = heap.pop()!;
      if (heap.length === 0) return;
    }
    const { length } = heap;
    let at = 0;
    for (let child; (child = 2 * at + 1) < length; at = child) {
      if (child + 1 < length && order[heap[child + 1]!]! < order[heap[child]!]!) child++;
      if (order[heap[child]!]! >= order[entry]!) break;
      heap[at] = heap[child]!;
    }
    heap[at] = entry;
  }
}
