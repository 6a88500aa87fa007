/**
 * Requests that hold slots.
 *
 * @module
 */

import type { Slot } from "../core/slot.ts";

/** The property with a request's {@linkcode InFlightRequest}. With nested limiters, it has the innermost. */
const IN_FLIGHT: unique symbol = Symbol("connlimit.inFlight");

interface LimitedRequest extends Request {
  [IN_FLIGHT]?: InFlightRequest;
}

/** A request in flight, or the WebSocket after its upgrade, with the slot of one limiter. */
export class InFlightRequest {
  readonly request: Request;
  /** The promise that the handler has returned, if it has. On Bun, only until it settles. */
  result: PromiseLike<unknown> | undefined = undefined;
  /** The runtime cannot report the end of this response. Its slot is released when the handler settles. */
  untracked = false;
  /** On Bun, whether the request has outlasted one turn of the event loop. */
  slow = false;
  /** On Bun, the number of periods in which the client was gone and the handler had not settled. */
  periodsGone = 0;
  readonly #slot: Slot;
  /** The same request in the next outer limiter, with nested limiters. */
  readonly #outer: InFlightRequest | undefined;
  #upgraded = false;

  constructor(request: LimitedRequest, slot: Slot) {
    this.request = request;
    this.#slot = slot;
    this.#outer = request[IN_FLIGHT];
    try {
      request[IN_FLIGHT] = this;
    } catch (error) {
      // The request is frozen, so an upgrade to a WebSocket would not find its slot.
      slot.release();
      throw error;
    }
  }

  /** The client that the request counts against. */
  get client(): string {
    return this.#slot.client;
  }

  /** Releases the slot at the end of the response. A WebSocket keeps it. */
  done(): void {
    if (!this.#upgraded) this.#slot.release();
  }

  /** Marks a request as upgraded. Returns the function that releases its slots; from now on nothing else does. */
  static upgrade(request: LimitedRequest): () => void {
    const all = InFlightRequest.#all(request);
    for (const inFlight of all) inFlight.#upgraded = true;
    return () => {
      for (const inFlight of all) inFlight.#slot.release();
    };
  }

  /** Resolves when the request's handler has settled. With nested limiters, it is the handler of the outermost. */
  static async settled(request: LimitedRequest): Promise<void> {
    try {
      await InFlightRequest.#all(request).at(-1)?.result;
    } catch {
      // A rejected handler has settled, too.
    }
  }

  /** A request in all limiters, the innermost first. */
  static #all(request: LimitedRequest): InFlightRequest[] {
    const all: InFlightRequest[] = [];
    for (let inFlight = request[IN_FLIGHT]; inFlight !== undefined; inFlight = inFlight.#outer) all.push(inFlight);
    return all;
  }
}
