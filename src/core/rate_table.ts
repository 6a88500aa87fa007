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

interface Entry {
  readonly key: ClientKey;
  /** When the burst is whole again. From then on, the entry says nothing. */
  whole: number;
  /** What `whole` was when the heap was last put in order for this entry. Hardly ever later than `whole`. */
  order: number;
}

/**
 * A table for one group of clients. Entries that say nothing leave as others come, two at a time, so that no call has much
 * to do. If the table is full, the entry that is nearest to saying nothing leaves.
 */
export class RateTable {
  readonly #entries = new Map<ClientKey, Entry>();
  /** A binary heap by `order`, which lags behind `whole`, so that a connection of a known client moves nothing. */
  readonly #heap: Entry[] = [];
  #last: Entry | undefined;

  /** The number of clients that are remembered. */
  get size(): number {
    return this.#heap.length;
  }

  /** Ticks from now until the burst of a client is whole again. 0 if it is. */
  spent(key: ClientKey, { span }: CompiledRate, now: number): number {
    const entry = this.#last = this.#entries.get(key);
    if (entry === undefined || entry.whole <= now) return 0;
    // It can be more than a burst only where the rate is another one by now. The client then waits for the new one.
    if (entry.whole - now > span) entry.whole = now + span;
    return entry.whole - now;
  }

  /** The same, without a change. */
  peek(key: ClientKey, { span }: CompiledRate, now: number): number {
    return Math.min(Math.max(0, (this.#entries.get(key)?.whole ?? 0) - now), span);
  }

  /** Notes a connection. `spent` is what {@linkcode RateTable.spent} has just returned. */
  spend(key: ClientKey, { interval, span }: CompiledRate, now: number, spent: number, maxTracked: number): void {
    const whole = now + Math.min(spent + interval, span);
    const heap = this.#heap;
    const found = this.#last?.key === key ? this.#last : this.#entries.get(key);
    if (found !== undefined) {
      found.whole = whole;
    } else {
      while (heap.length >= maxTracked) this.#tidy(Infinity);
      const entry = { key, whole, order: whole };
      this.#entries.set(key, entry);
      this.#up(entry);
    }
    for (let i = 0; i < 2 && heap[0]!.order <= now; i++) this.#tidy(now);
  }

  /** Forgets the first entry, if it says nothing at `time`. If it has moved on, puts it where it belongs. */
  #tidy(time: number): void {
    const heap = this.#heap;
    const first = heap[0]!;
    if (first.whole > first.order) {
      first.order = first.whole;
      this.#down(first);
    } else if (first.order <= time) {
      this.#entries.delete(first.key);
      if (this.#last === first) this.#last = undefined;
      const end = heap.pop()!;
      if (end !== first) this.#down(end);
    }
  }

  /** Adds an entry at the end of the heap, and moves it to its place. */
  #up(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]!.order <= entry.order) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  /** Puts an entry in place of the first one, and moves it to its place. */
  #down(entry: Entry): void {
    const heap = this.#heap;
    const { length } = heap;
    let at = 0;
    for (let child = 1; child < length; child = 2 * at + 1) {
      if (child + 1 < length && heap[child + 1]!.order < heap[child]!.order) child++;
      if (heap[child]!.order >= entry.order) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = entry;
  }
}
