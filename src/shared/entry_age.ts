/**
 * How old the entry of an instance is at a key.
 *
 * @module
 */

/** Numbers the requests of one key. */
export class EntryAge {
  /** No entry of this instance that counts is older. Absent as long as there can be none. */
  oldest: number | undefined;
  /** The first request of the entry, or of the last one if that has ended. */
  #since = 0;
  #ended = true;

  /** A request is sent, by which the entry may end. Returns the `since` of the request. */
  sent(seq: number, ends: boolean): number {
    if (this.#ended && !ends) this.#since = seq;
    this.#ended = ends;
    this.oldest ??= seq;
    return this.#since;
  }
}
