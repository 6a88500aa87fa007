/**
 * What ties a slot to a connection, and the ties of the connections that are open.
 *
 * @module
 */

import { Idle } from "../idle.ts";
import type { Slot } from "../slot.ts";
import type { ConnLike } from "./conn.ts";

/** A slot tied to a connection. */
export class Tie {
  readonly conn: ConnLike;
  readonly slot: Slot;
  /** The tie that the connection had before, to the slot of another limiter. */
  readonly before: Tie | undefined;
  readonly #ties: OpenTies | undefined;
  /** Neighbours in `#ties`. */
  previous: Tie | undefined = undefined;
  next: Tie | undefined = undefined;

  constructor(conn: ConnLike, slot: Slot, before: Tie | undefined, ties: OpenTies | undefined) {
    this.conn = conn;
    this.slot = slot;
    this.before = before;
    this.#ties = ties;
    ties?.add(this);
  }

  /** Frees the slot, and those of the ties before. Doing it twice changes nothing. */
  free(): void {
    this.slot.release();
    this.#ties?.delete(this);
    this.before?.free();
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
    const last = this.#last;
    tie.previous = last;
    if (last !== undefined) last.next = tie;
    this.#last = tie;
  }

  /** Takes a tie out; where it is out already, nothing happens. */
  delete(tie: Tie): void {
    const { previous, next } = tie;
    if (next !== undefined) next.previous = previous;
    else if (this.#last === tie) this.#last = previous;
    else return;
    if (previous !== undefined) previous.next = next;
    tie.previous = tie.next = undefined;
    if (this.#last === undefined) this.#idle.reached();
  }

  /** Resolves when no connection is open. */
  idle(): Promise<void> {
    return this.empty ? Promise.resolve() : this.#idle.wait();
  }

  /** Closes every connection. Returns how many there were. */
  closeAll(): number {
    const conns: ConnLike[] = [];
    for (let tie = this.#last; tie !== undefined; tie = tie.previous) conns.push(tie.conn);
    for (const conn of conns) conn[Symbol.dispose]();
    return conns.length;
  }
}
