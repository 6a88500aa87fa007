/**
 * What openConns a slot to a connection, and the openConns of the connections that are open.
 *
 * @module
 */

import { Latch } from "../core/latch.ts";
import type { Slot } from "../core/slot.ts";

/** A slot bound to a connection. All of it is private, so that a printed connection does not show its neighbours. */
export class OpenConn {
  readonly #conn: Disposable;
  readonly #slot: Slot;
  /** The tie that the connection had before, to the slot of another limiter. */
  readonly #under: OpenConn | undefined;
  readonly #openConns: OpenConns | undefined;
  #freed = false;
  /** Neighbours in `#openConns`. */
  #previous: OpenConn | undefined = undefined;
  #next: OpenConn | undefined = undefined;

  constructor(conn: Disposable, slot: Slot, under: OpenConn | undefined, openConns: OpenConns | undefined) {
    this.#conn = conn;
    this.#slot = slot;
    this.#under = under;
    this.#openConns = openConns;
    openConns?.add(this);
    // The connection may have been closed while something was awaited for the second slot.
    if (under !== undefined && under.#freed) this.free();
  }

  /** The slot. */
  get slot(): Slot {
    return this.#slot;
  }

  /** Frees the slot and those of the openConns under this one. Doing it twice changes nothing. */
  free(): void {
    OpenConn.#freeFrom(this);
  }

  /** Not by recursion: there may be more openConns than the stack has room for. */
  static #freeFrom(top: OpenConn): void {
    for (let openConn: OpenConn | undefined = top; openConn !== undefined; openConn = openConn.#under) {
      openConn.#freed = true;
      openConn.#slot.release();
      openConn.#openConns?.delete(openConn);
    }
  }

  /** Goes behind the last of a list. */
  enter(last: OpenConn | undefined): void {
    this.#previous = last;
    if (last !== undefined) last.#next = this;
  }

  /** Leaves its list. Returns what is the last of the list then. */
  leave(last: OpenConn | undefined): OpenConn | undefined {
    const previous = this.#previous;
    const next = this.#next;
    if (next !== undefined) next.#previous = previous;
    if (previous !== undefined) previous.#next = next;
    this.#previous = this.#next = undefined;
    return this === last ? previous : last;
  }

  /** The connections of a list, given its last. */
  static connsUpTo(last: OpenConn | undefined): Disposable[] {
    const conns: Disposable[] = [];
    for (let openConn = last; openConn !== undefined; openConn = openConn.#previous) conns.push(openConn.#conn);
    return conns;
  }
}

/**
 * The openConns of open connections, linked to each other: where a `Set` would hash each connection, this writes a few
 * pointers.
 */
export class OpenConns {
  readonly #idle = new Latch();
  #last: OpenConn | undefined;

  /** Whether no connection is open. */
  get empty(): boolean {
    return this.#last === undefined;
  }

  /** Enters a openConn. */
  add(openConn: OpenConn): void {
    openConn.enter(this.#last);
    this.#last = openConn;
  }

  /** Takes a tie out; where it is out already, nothing happens. */
  delete(openConn: OpenConn): void {
    if (this.#last === undefined) return;
    this.#last = openConn.leave(this.#last);
    if (this.#last === undefined) this.#idle.open();
  }

  /** Resolves when no connection is open. */
  idle(): Promise<void> {
    return this.empty ? Promise.resolve() : this.#idle.wait();
  }

  /** Closes every connection. Returns how many there were. */
  closeAll(): number {
    const conns = OpenConn.connsUpTo(this.#last);
    for (const conn of conns) conn[Symbol.dispose]();
    return conns.length;
  }
}
