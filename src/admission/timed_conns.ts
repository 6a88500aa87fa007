/**
 * Open connections with deadlines.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import { type Deadline, Deadlines, type Watch } from "./deadlines.ts";
import { OpenConn, OpenConns } from "./open_conn.ts";

/** A record of a connection with deadlines. */
interface Timed {
  /** The number by which the deadlines know it. */
  entry?: number;
}

/** Where the milliseconds stand for which the connection that is being entered was pending. */
interface Waited {
  readonly waited: number;
}

/** The record of an object that is a connection. The field is there from the start, because it costs less than a late one. */
class TimedConn extends OpenConn implements Timed {
  entry = -1;
}

/** The records of one limiter on one listener or server, whose connections have deadlines. These are where they are listed. */
export class TimedConns extends OpenConns {
  readonly #deadlines: Deadlines<OpenConn>;
  readonly #pending: Waited | undefined;
  #adopting = false;

  /**
   * The records of connections, with deadlines if checked options ask for any.
   *
   * @param pending The stage in which the connections were pending.
   */
  static of(
    options: Deadline,
    limiter: object,
    watch: Watch<OpenConn>,
    pending?: Waited,
    clock?: Clock,
  ): OpenConns {
    const deadlines = Deadlines.of(options, limiter, watch, clock);
    return deadlines === undefined ? new OpenConns() : new TimedConns(deadlines, pending);
  }

  private constructor(deadlines: Deadlines<OpenConn>, pending: Waited | undefined) {
    super();
    this.#deadlines = deadlines;
    this.#pending = pending;
  }

  override get size(): number {
    return super.size + this.#deadlines.size;
  }

  override records(): OpenConn[] {
    return [...super.records(), ...this.#deadlines.conns()];
  }

  override recordOf(conn: object, under: OpenConn | undefined): OpenConn {
    return new TimedConn(conn, under);
  }

  override add(record: OpenConn): void {
    if (this.#adopting) super.add(record);
    else (record as Timed).entry = this.#deadlines.add(record, this.#pending?.waited);
  }

  override delete(record: OpenConn): void {
    const { entry } = record as Timed;
    if (entry === undefined) return super.delete(record);
    this.#deadlines.delete(entry);
    this.left();
  }

  override touch(record: OpenConn, read: boolean): void {
    const { entry } = record as Timed;
    if (entry !== undefined) this.#deadlines.touch(entry, read);
  }

  /** Takes the connections of another list over, without deadlines, since nobody has noted their bytes until now. */
  adopt(others: OpenConns): void {
    this.#adopting = true;
    for (const record of others.records()) record.moveTo(this);
    this.#adopting = false;
  }
}
