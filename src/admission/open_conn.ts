/**
 * The record of an open connection, on every runtime.
 *
 * @module
 */

import { Latch } from "../core/latch.ts";
import type { Slot } from "../core/slot.ts";

/** The key under which an object that is a connection has its record; with several limiters, the last one's. */
export const OPEN_CONN: unique symbol = Symbol("connlimit.openConn");

/** An object that is a connection. */
export interface Recorded {
  [OPEN_CONN]?: OpenConn | undefined;
}

/**
 * A connection as one limiter sees it: the slot that it holds, and its place among the open ones. A connection with several
 * limiters has a record for each, the later ones on top. All fields are private, so that a printed connection does not show
 * other clients' connections.
 */
export class OpenConn {
  readonly #conn: object;
  readonly #under: OpenConn | undefined;
  #slot: Slot | undefined = undefined;
  #list: OpenConns | undefined = undefined;
  /** The index in the list. */
  #at = -1;
  #ended = false;

  /**
   * @param conn The connection.
   * @param under The record that it has already, of another limiter.
   */
  constructor(conn: object, under: OpenConn | undefined) {
    this.#conn = conn;
    this.#under = under;
  }

  /**
   * Binds a slot to an object that is a connection.
   *
   * @returns Whether it is the object's first record.
   */
  static bind(conn: Recorded, slot: Slot | undefined, list: OpenConns | undefined): boolean {
    const under = conn[OPEN_CONN];
    const record = conn[OPEN_CONN] = list === undefined ? new OpenConn(conn, under) : list.recordOf(conn, under);
    record.hold(slot, list);
    return under === undefined;
  }

  /** The connection. */
  get conn(): object {
    return this.#conn;
  }

  /** The slot; absent while none is held. */
  get slot(): Slot | undefined {
    return this.#slot;
  }

  /** The record of the limiter before. */
  get under(): OpenConn | undefined {
    return this.#under;
  }

  /** Whether the connection has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Holds `slot`, and is in `list`, until the connection ends. The list may have the record under this one instead. */
  hold(slot: Slot | undefined, list: OpenConns | undefined): void {
    this.#slot = slot;
    const under = this.#under;
    // The connection may have closed while the second slot was awaited.
    if (this.#ended || under !== undefined && under.#ended) return this.end();
    if (list === undefined || under !== undefined && under.#list === list) return;
    this.#list = list;
    list.add(this);
  }

  /** Goes over to another list. */
  moveTo(list: OpenConns): void {
    this.#list?.delete(this);
    this.#list = list;
    list.add(this);
  }

  /** Notes, for this record and those under it, that bytes have been read or written. */
  touch(read: boolean): void {
    // deno-lint-ignore no-this-alias
    for (let record: OpenConn | undefined = this; record !== undefined; record = record.#under) {
      record.#list?.touch(record, read);
    }
  }

  /** Whether the record is in a list. */
  isIn(list: OpenConns): boolean {
    return this.#list === list;
  }

  /** Releases the slot and those of the records under it. Doing it twice changes nothing. */
  end(): void {
    // Not by recursion: a connection may have more records than the stack has room for.
    // deno-lint-ignore no-this-alias
    for (let record: OpenConn | undefined = this; record !== undefined; record = record.#under) record.endAlone();
  }

  /** Releases the slot of this record alone. */
  endAlone(): void {
    this.#ended = true;
    this.#slot?.release();
    const list = this.#list;
    this.#list = undefined;
    list?.delete(this);
  }

  /** Goes to the end of an array. */
  enter(records: OpenConn[]): void {
    this.#at = records.push(this) - 1;
  }

  /** Leaves an array, in which the last one takes its place. */
  leave(records: OpenConn[]): void {
    const last = records.pop()!;
    if (last === this) return;
    records[this.#at] = last;
    last.#at = this.#at;
  }
}

/** The records of one limiter on one listener or server: an array, since a `Set` would hash each connection. */
export class OpenConns {
  readonly #records: OpenConn[] = [];
  readonly #idle = new Latch();
  /** Where the next round of {@linkcode OpenConns.visit} begins, downwards. */
  #next = 0;

  /** The number of open connections. */
  get size(): number {
    return this.#records.length;
  }

  /** The connections at this moment. */
  conns(): object[] {
    return this.records().map((record) => record.conn);
  }

  /** The records at this moment. */
  records(): OpenConn[] {
    return [...this.#records];
  }

  /** Calls `visit` with some of the records, which it may end. Further calls go on with the others, in turn. */
  visit(most: number, visit: (record: OpenConn) => void): void {
    for (let left = Math.min(most, this.size); left > 0 && this.size > 0; left--) {
      // Downwards, since the last record takes the place of one that ends.
      if (this.#next === 0 || this.#next > this.size) this.#next = this.size;
      visit(this.#records[--this.#next]!);
    }
  }

  /** A new record of a connection that is to be entered. */
  recordOf(conn: object, under: OpenConn | undefined): OpenConn {
    return new OpenConn(conn, under);
  }

  /** Notes that bytes of a connection have been read or written, where that matters. */
  touch(_record: OpenConn, _read: boolean): void {}

  /** Enters a record. */
  add(record: OpenConn): void {
    record.enter(this.#records);
  }

  /** Takes a record out. */
  delete(record: OpenConn): void {
    record.leave(this.#records);
    this.left();
  }

  /** A connection has left. */
  protected left(): void {
    if (this.size === 0) this.#idle.open();
  }

  /** Resolves when no connection is open. */
  idle(): Promise<void> {
    return this.size === 0 ? Promise.resolve() : this.#idle.wait();
  }
}
