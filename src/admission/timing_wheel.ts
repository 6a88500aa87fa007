/**
 * A timing wheel: which of many entries are to be looked at next.
 *
 * @module
 */

/** The number of ticks that the wheel reaches ahead. */
export const REACH = 512;

/**
 * Entries by the tick at which they are due, as circular lists through two arrays. An entry costs eight bytes, and
 * entering, leaving and a tick without entries cost the same however many there are.
 */
export class TimingWheel {
  /** For each entry, the next one of its list. The first {@linkcode REACH} numbers are the lists themselves. */
  #next: Int32Array = new Int32Array(REACH + 64);
  #previous: Int32Array = new Int32Array(REACH + 64);
  /** The list of entries that are numbers without use, and the number after the last that was ever used. */
  #free = -1;
  #end = REACH;
  /** The current tick. */
  #at = 0;

  constructor() {
    for (let list = 0; list < REACH; list++) this.#next[list] = this.#previous[list] = list;
  }

  /** The highest number of an entry so far, and one. */
  get end(): number {
    return this.#end;
  }

  /** Makes an entry, which is not in the wheel yet. Its number may have been that of another before. */
  take(): number {
    let entry = this.#free;
    if (entry >= 0) {
      this.#free = this.#next[entry]!;
    } else {
      entry = this.#end++;
      if (entry === this.#next.length) {
        this.#next = grown(this.#next);
        this.#previous = grown(this.#previous);
      }
    }
    this.#next[entry] = this.#previous[entry] = entry;
    return entry;
  }

  /** Gives up an entry, whether or not it is in the wheel. */
  giveBack(entry: number): void {
    this.remove(entry);
    this.#next[entry] = this.#free;
    this.#free = entry;
  }

  /** Puts an entry in, which is not in the wheel: due in so many ticks, or after as many as the wheel reaches. */
  insert(entry: number, ticks: number): void {
    const list = (this.#at + Math.min(Math.max(ticks, 1), REACH - 1)) % REACH;
    const last = this.#previous[list]!;
    this.#next[last] = this.#previous[list] = entry;
    this.#next[entry] = list;
    this.#previous[entry] = last;
  }

  /** Takes an entry out of the wheel. */
  remove(entry: number): void {
    const next = this.#next[entry]!;
    const previous = this.#previous[entry]!;
    this.#next[previous] = next;
    this.#previous[next] = previous;
    this.#next[entry] = this.#previous[entry] = entry;
  }

  /** Goes on by a tick. Takes each entry out that is due then, and calls `look` with it. */
  tick(look: (entry: number) => void): void {
    const list = this.#at = (this.#at + 1) % REACH;
    for (let entry = this.#next[list]!; entry !== list; entry = this.#next[list]!) {
      this.remove(entry);
      look(entry);
    }
  }
}

/** A copy of an array with an eighth more room, so that a large one does not have much more than it needs. */
export function grown<A extends Int32Array | Uint8Array>(array: A): A {
  const copy = new (array.constructor as new (length: number) => A)(array.length + (array.length >> 3) + 64);
  copy.set(array);
  return copy;
}
