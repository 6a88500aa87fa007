/**
 * Requests in flight.
 *
 * @module
 */

import { OPEN_CONN, OpenConn, type OpenConns } from "../admission/open_conn.ts";
import type { Slot } from "../core/slot.ts";
import { makeAbortable } from "./request_signal.ts";

interface RecordedRequest extends Request {
  [OPEN_CONN]?: InFlightRequest;
}

/** A request in flight, or the WebSocket after its upgrade, with the slot of one limiter. */
export class InFlightRequest extends OpenConn {
  /** The handler's second argument. */
  readonly info: unknown;
  /** The handler's `this`. */
  readonly self: unknown;
  /** What the option `client` has returned, if there is one. */
  named: unknown = undefined;
  /** The promise that the handler has returned, if it has. On Bun, only until it settles. */
  result: Promise<unknown> | undefined = undefined;
  /** The runtime cannot report the end of this response. Its slot is released when the handler settles. */
  untracked = false;
  /** On Bun, whether the request has outlasted one turn of the event loop. */
  slow = false;
  /** On Bun, the number of periods in which the client was gone and the handler had not settled. */
  periodsGone = 0;
  /** The same request in the next outer limiter, with nested limiters. */
  #outer: InFlightRequest | undefined;
  #upgraded = false;
  /** Absent without deadlines. */
  #abort: AbortController | undefined = undefined;
  /** Closes the WebSocket that the request has become, where the runtime shows it. */
  #closeSocket: (() => void) | undefined = undefined;

  constructor(request: RecordedRequest, info: unknown, self: unknown) {
    super(request, undefined);
    this.info = info;
    this.self = self;
  }

  /** Holds `slot` until the response is done. */
  start(slot: Slot, list: OpenConns): void {
    const request: RecordedRequest = this.request;
    // Not before: a request may end, and be handled once more, while it is pending.
    const outer = request[OPEN_CONN];
    if (outer?.ended === false) this.#outer = outer;
    try {
      request[OPEN_CONN] = this;
    } catch (error) {
      // The request is frozen, so an upgrade to a WebSocket would not find its record.
      slot.release();
      throw error;
    }
    this.hold(slot, list);
  }

  /** The request. */
  get request(): Request {
    return this.conn as Request;
  }

  /** The client that the request counts against. */
  get client(): string {
    return this.slot!.client;
  }

  /** Whether the request has become a WebSocket that keeps its slot. */
  get upgraded(): boolean {
    return this.#upgraded;
  }

  /** Lets {@linkcode InFlightRequest.expire} abort the request's signal. */
  makeAbortable(): void {
    this.#abort = makeAbortable(this.request);
  }

  /** Asks the handler to end, and closes the WebSocket. The slot is held until that is so. */
  expire(): void {
    if (this.#closeSocket !== undefined) this.#closeSocket();
    else this.#abort?.abort(new DOMException("The request has taken too long.", "TimeoutError"));
  }

  /** Releases the slot at the end of the response. A WebSocket keeps it. */
  done(): void {
    if (!this.#upgraded) this.endAlone();
  }

  /**
   * Marks a request as upgraded. Returns the function that releases its slots; from now on nothing else does.
   *
   * @param close Closes the WebSocket.
   */
  static upgrade(request: RecordedRequest, close?: () => void): () => void {
    const records = InFlightRequest.#allOf(request);
    for (const record of records) {
      record.#upgraded = true;
      record.#closeSocket = close;
    }
    return () => {
      for (const record of records) record.endAlone();
    };
  }

  /** Whether a request holds a slot, or has held one. */
  static isRecorded(request: RecordedRequest): boolean {
    return request[OPEN_CONN] !== undefined;
  }

  /** Resolves when the handler of a request has settled. With nested limiters, that is the outermost handler. */
  static async settled(request: RecordedRequest): Promise<void> {
    try {
      await InFlightRequest.#allOf(request).at(-1)?.result;
    } catch {
      // A rejection settles it as well.
    }
  }

  static #allOf(request: RecordedRequest): InFlightRequest[] {
    const records: InFlightRequest[] = [];
    for (let record = request[OPEN_CONN]; record !== undefined; record = record.#outer) records.push(record);
    return records;
  }
}
