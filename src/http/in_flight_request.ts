/**
 * Requests in flight.
 *
 * @module
 */

import { OPEN_CONN, OpenConn, type OpenConns } from "../admission/open_conn.ts";
import type { Slot } from "../core/slot.ts";

interface RecordedRequest extends Request {
  [OPEN_CONN]?: InFlightRequest;
}

/** A request in flight, or the WebSocket that it has become, as one limiter sees it. */
export class InFlightRequest extends OpenConn {
  readonly request: Request;
  /** What the runtime passes to a fetch handler beside the request. */
  readonly info: unknown;
  /** What the runtime calls its handler on. */
  readonly self: unknown;
  /** What the handler has returned, if it is a promise that has not settled. */
  result: PromiseLike<unknown> | undefined = undefined;
  /** Whether the runtime cannot report the end of this response. Its slot is released when the handler returns. */
  untracked = false;
  /** On Bun, whether the request has taken longer than a turn of the event loop. */
  slow = false;
  /** On Bun, the sweeps since the client left in which the handler had not settled. */
  periodsGone = 0;
  #upgraded = false;

  constructor(request: RecordedRequest, info: unknown, self: unknown) {
    const around = request[OPEN_CONN];
    super(request, around === undefined || around.ended ? undefined : around);
    this.request = request;
    this.info = info;
    this.self = self;
  }

  /** Holds `slot` until the response is done. */
  start(slot: Slot, list: OpenConns): void {
    try {
      (this.request as RecordedRequest)[OPEN_CONN] = this;
    } catch (error) {
      // A frozen request, whose record nobody would find when it becomes a WebSocket.
      slot.release();
      throw error;
    }
    this.hold(slot, list);
  }

  /** The client that it is counted against. */
  get client(): string {
    return this.slot!.client;
  }

  /** The response is done. A WebSocket goes on. */
  done(): void {
    if (!this.#upgraded) this.endAlone();
  }

  /** A request has become a WebSocket. Returns what releases its slots, which nothing else does from now on. */
  static upgrade(request: RecordedRequest): () => void {
    const records = InFlightRequest.#allOf(request);
    for (const record of records) record.#upgraded = true;
    return () => {
      for (const record of records) record.endAlone();
    };
  }

  /** Resolves when the handler of a request has settled; with several limiters, the outermost one. */
  static async settled(request: RecordedRequest): Promise<void> {
    try {
      await InFlightRequest.#allOf(request).at(-1)?.result;
    } catch {
      // A rejection settles it as well.
    }
  }

  static #allOf(request: RecordedRequest): InFlightRequest[] {
    const records: InFlightRequest[] = [];
    for (let record = request[OPEN_CONN]; record !== undefined; record = record.under as typeof record) {
      records.push(record);
    }
    return records;
  }
}
