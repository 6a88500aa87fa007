/**
 * The records of requests in flight, and of the connections that carry them.
 *
 * @module
 */

import { errorMonitor } from "node:events";
import { OPEN_CONN, OpenConn, OpenConns } from "../admission/open_conn.ts";
import type { Admitter } from "../admission/port.ts";
import type { Slot } from "../core/slot.ts";
import type { RequestDeadlines } from "./request_deadlines.ts";
import { endWithClose } from "./server_port.ts";
import type { Ending, Exchange } from "./server_request.ts";

/** A request in flight, or the tunnel that it has become, with the slot of one limiter. */
class RequestRecord extends OpenConn {
  readonly limiter: Admitter;
  /** What the request is known by to its deadlines, if it has any. */
  #timed: { readonly deadlines: RequestDeadlines; readonly entry: number } | undefined = undefined;

  constructor(subject: Ending, limiter: Admitter) {
    super(subject, subject[OPEN_CONN]);
    this.limiter = limiter;
  }

  /** Gives a request deadlines, until it ends. */
  time(deadlines: RequestDeadlines, exchange: Exchange): void {
    if (!this.ended) this.#timed = { deadlines, entry: deadlines.add(exchange) };
  }

  override endAlone(): void {
    super.endAlone();
    this.#timed?.deadlines.delete(this.#timed.entry);
    this.#timed = undefined;
  }
}

/**
 * A connection that carries requests. Node and Deno do not close the responses of requests that wait behind another when
 * their connection is reset. So a connection has one listener for all of them.
 */
class CarrierRecord extends OpenConn {
  readonly inFlight: OpenConns = new OpenConns();

  override endAlone(): void {
    super.endAlone();
    for (const subject of this.inFlight.conns() as Ending[]) subject[OPEN_CONN]?.end();
  }
}

const CARRIER: unique symbol = Symbol("connlimit.carrier");

interface Carrier extends Ending {
  [CARRIER]?: CarrierRecord;
}

/** The requests in flight of a connection. */
function inFlightOf(conn: Carrier): OpenConns {
  let record = conn[CARRIER];
  if (record === undefined) {
    const under = conn[OPEN_CONN];
    conn[OPEN_CONN] = conn[CARRIER] = record = new CarrierRecord(conn, under);
    if (under === undefined) endWithClose(conn);
  }
  return record.inFlight;
}

/** Whether a limiter has counted a request already: it may be announced twice, and be passed on to another server. */
export function isCounted({ subject }: Exchange, limiter: Admitter): boolean {
  for (let record = subject[OPEN_CONN]; record !== undefined; record = record.under) {
    if (record instanceof RequestRecord && record.limiter === limiter) return true;
  }
  return false;
}

/** Releases a slot when a request ends or its connection does. */
export function bindRequest(exchange: Exchange, slot: Slot, limiter: Admitter, deadlines?: RequestDeadlines): void {
  const { kind, subject, conn } = exchange;
  // What is over already does not end once more.
  if (subject.destroyed || conn?.destroyed) return slot.release();
  const record = new RequestRecord(subject, limiter);
  subject[OPEN_CONN] = record;
  record.hold(slot, conn && inFlightOf(conn));
  if (deadlines?.concerns(kind)) record.time(deadlines, exchange);
  if (record.under !== undefined) return;
  endWithClose(subject);
  // On Deno a stream does not close after an error, such as for a `HEAD` that is answered with a body.
  if (kind === "stream") subject.on(errorMonitor, () => subject[OPEN_CONN]!.end());
}
