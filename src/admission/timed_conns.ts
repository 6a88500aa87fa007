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

/** The record of an object that is a connection. The field is there from the start, because it costs less than a late one. */
class TimedConn extends OpenConn implements Timed {
  entry = -1;
}

/** The records of one limiter on one listener or server, whose connections have deadlines. */
export class TimedConns extends OpenConns {
  readonly #deadlines: Deadlines<OpenConn>;
  readonly #waited: () => number;

  /**
   * The records of connections, with deadlines if checked options ask for any.
   *
   * @param waited Returns for how many milliseconds the connection that is being entered was pending.
   */
  static of(
    options: Deadline,
    limiter: object,
    watch: Watch<OpenConn>,
    waited: () => number = () => 0,
    clock?: Clock,
  ): OpenConns {
    const deadlines = Deadlines.of(options, limiter, watch, clock);
    return deadlines === undefined ? new OpenConns() : new TimedConns(deadlines, waited);
  }

  private constructor(deadlines: Deadlines<OpenConn>, waited: () => number) {
    super();
    this.#deadlines = deadlines;
    this.#waited = waited;
  }

  override recordOf(conn: object, under: OpenConn | undefined): OpenConn {
    return new TimedConn(conn, under);
  }

  override add(record: OpenConn): void {
    super.add(record);
    (record as Timed).entry = this.#deadlines.add(record, this.#waited());
  }

  override delete(record: OpenConn): void {
    super.delete(record);
    this.#deadlines.delete((record as Timed).entry!);
  }

  override touch(record: OpenConn, read: boolean): void {
    this.#deadlines.touch((record as Timed).entry!, read);
  }
}
