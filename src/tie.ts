/**
 * What ties a slot to a connection, and the ties of the connections that are open.
 *
 * @module
 */

import { Idle } from "./idle.ts";
import type { Slot } from "./slot.ts";

/** A slot tied to a connection. All of it is private, so that a printed connection does not show its neighbours. */
export class Tie {
  readonly #conn: Disposable;
  readonly #slot: Slot;
  /** The tie that the connection had before, to the slot of another limiter. */
  readonly #under: Tie | undefined;
  readonly #ties: OpenTies | undefined;
  #freed = false;
  /** Neighbours in `#ties`. */
  #previous: Tie | undefined = undefined;
  #next: Tie | undefined = undefined;

  constructor(conn: Disposable, slot: Slot, under: Tie | undefined, ties: OpenTies | undefined) {
    this.#conn = conn;
    this.#slot = slot;
    this.#under = under;
    this.#ties = ties;
    ties?.add(this);
    // The connection may have been closed while something was awaited for the second slot.
    if (under !== undefined && under.#freed) this.free();
  }

  /** The slot. */
  get slot(): Slot {
    return this.#slot;
  }

  /** Frees the slot and those of the ties under this one. Doing it twice changes nothing. */
  free(): void {
    Tie.#freeFrom(this);
  }

  /** Not by recursion: there may be more ties than the stack has room for. */
  static #freeFrom(top: Tie): void {
    for (let tie: Tie | undefined = top; tie !== undefined; tie = tie.#under) {
      tie.#freed = true;
      tie.#slot.release();
      tie.#ties?.delete(tie);
    }
  }

  /** Goes behind the last of a list. */
  enter(last: Tie | undefined): void {
    this.#previous = last;
    if (last !== undefined) last.#next = this;
  }

  /** Leaves its list. Returns what is the last of the list then. */
  leave(last: Tie | undefined): Tie | undefined {
    const previous = this.#previous;
    const next = this.#next;
    if (next !== undefined) next.#previous = previous;
    if (previous !== undefined) previous.#next = next;
    this.#previous = this.#next = undefined;
    return this === last ? previous : last;
  }

  /** The connections of a list, given its last. */
  static connsUpTo(last: Tie | undefined): Disposable[] {
    const conns: Disposable[] = [];
    for (let tie = last; tie !== undefined; tie = tie.#previous) conns.push(tie.#conn);
    return conns;
  }
}

/**
 * The ties of open connections, linked to each other: where a `Set` would hash each connection, this writes a few
 * pointers.
 */
export class OpenTies {
  readonly #idle = new Idle();
  #last: Tie | undefined;

  /** Whether no connection is open. */
  get empty(): boolean {
    return this.#last === undefined;
  }

  /** Enters a tie. */
  add(tie: Tie): void {
    tie.enter(this.#last);
    this.#last = tie;
  }

  /** Takes a tie out; where it is out already, nothing happens. */
  delete(tie: Tie): void {
    if (this.#last === undefined) return;
    this.#last = tie.leave(this.#last);
    if (this.#last === undefined) this.#idle.reached();
  }

  /** Resolves when no connection is open. */
  idle(): Promise<void> {
    return this.empty ? Promise.resolve() : this.#idle.wait();
  }

  /** Closes every connection. Returns how many there were. */
  closeAll(): number {
    const conns = Tie.connsUpTo(this.#last);
    for (const conn of conns) conn[Symbol.dispose]();
    return conns.length;
  }
}
