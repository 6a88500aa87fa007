/**
 * Fetch handlers at the gate.
 *
 * @module
 */

import { hookFailed, isThenable } from "../admission/hooks.ts";
import { OPEN_CONN, type OpenConn, OpenConns, type Recorded } from "../admission/open_conn.ts";
import type { Port } from "../admission/port.ts";
import { refusedResponse } from "../admission/refusal_response.ts";
import type { Peer } from "../core/peer.ts";
import type { RefusalReason } from "../core/reasons.ts";
import type { Refusal, Slot } from "../core/slot.ts";
import type { InFlightRequest } from "./in_flight_request.ts";
import type { LimitRequestsOptions } from "./limit_requests_options.ts";
import type { RequestTracker } from "./request_tracker.ts";

/** A fetch handler with any arguments and any result. */
export type Handler = (this: unknown, request: Request, info: unknown) => unknown;

/** The port to a fetch handler on one runtime. Offers result in the response. */
export class RequestPort implements Port<InFlightRequest, unknown> {
  readonly openConns: OpenConns = new OpenConns();
  readonly #tracker: RequestTracker<unknown>;
  readonly #handler: Handler;
  readonly #options: LimitRequestsOptions;

  constructor(tracker: RequestTracker<unknown>, handler: Handler, options: LimitRequestsOptions) {
    this.#tracker = tracker;
    this.#handler = handler;
    this.#options = options;
  }

  recordOf({ request }: InFlightRequest): OpenConn | undefined {
    return (request as Recorded)[OPEN_CONN];
  }

  peerOf({ request, info }: InFlightRequest): Peer {
    const { client, onError } = this.#options;
    if (client === undefined) return this.#tracker.peerOf(request, info) as Peer;
    try {
      const peer = client(request, info);
      // Plain JavaScript can return a promise, which is no peer. Its rejection must not end the process.
      if (isThenable(peer)) peer.then(undefined, (error) => hookFailed(client, onError, error));
      return peer as Peer;
    } catch (error) {
      hookFailed(client, onError, error);
      return undefined as unknown as Peer;
    }
  }

  admit(inFlight: InFlightRequest, slot: Slot): unknown {
    const { request, info } = inFlight;
    inFlight.start(slot, this.openConns);
    let result: unknown;
    // In `finally`, because a handler that throws has ended its request.
    try {
      this.#tracker.start(inFlight, this.#options.client === undefined);
      return result = this.#handler.call(inFlight.self, request, info);
    } finally {
      this.#tracker.handlerReturned(inFlight, result);
    }
  }

  present(inFlight: InFlightRequest): InFlightRequest {
    return inFlight;
  }

  refuse({ request, info }: InFlightRequest, refusal: Refusal): Response | Promise<Response> {
    const { answer, onError } = this.#options;
    const { reason } = refusal;
    if (answer === undefined) return refusedResponse(reason);
    const failed = (error: unknown) => {
      hookFailed(answer, onError, error);
      return refusedResponse(reason);
    };
    try {
      const response = answer(refusal, request, info);
      return isThenable(response) ? settle(response, reason).catch(failed) : response ?? refusedResponse(reason);
    } catch (error) {
      return failed(error);
    }
  }

  hold({ request }: InFlightRequest, ended: () => void): () => void {
    return this.#tracker.watchPending?.(request, ended) ?? (() => {});
  }

  /** The client has left, so the response is discarded. */
  drop(): Response {
    return refusedResponse("unavailable");
  }
}

async function settle(response: PromiseLike<Response | void>, reason: RefusalReason): Promise<Response> {
  return await response ?? refusedResponse(reason);
}
