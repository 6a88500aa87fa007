/**
 * Fetch handlers at the gate.
 *
 * @module
 */

import { type Check, tellOnce } from "../admission/checks.ts";
import { hookFailed, isThenable } from "../admission/hooks.ts";
import { OPEN_CONN, type OpenConn, type OpenConns, type Recorded } from "../admission/open_conn.ts";
import type { Admitter, Port } from "../admission/port.ts";
import { ProxyCheck } from "../admission/proxy_check.ts";
import { refusedResponse } from "../admission/refusal_response.ts";
import { TimedConns } from "../admission/timed_conns.ts";
import { faultOf } from "../admission/unknown_client.ts";
import type { Peer } from "../core/peer.ts";
import type { Refusal, Slot } from "../core/slot.ts";
import type { InFlightRequest } from "./in_flight_request.ts";
import type { LimitRequestsOptions } from "./limit_requests_options.ts";
import { promiseOf } from "./promise_of.ts";
import type { RequestTracker } from "./request_tracker.ts";

/** A fetch handler with any arguments and any result. */
export type Handler = (this: unknown, request: Request, info: unknown) => unknown;

/** What the option `client` has returned where it has thrown, which is reported as such. */
const FAILED = Symbol("failed");

/** The port to a fetch handler on one runtime. Offers result in the response. */
export class RequestPort implements Port<InFlightRequest, unknown> {
  readonly openConns: OpenConns;
  readonly #timed: boolean;
  readonly #tracker: RequestTracker<unknown>;
  readonly #handler: Handler;
  readonly #options: LimitRequestsOptions;
  readonly #proxies: ProxyCheck;

  constructor(limiter: Admitter, tracker: RequestTracker<unknown>, handler: Handler, options: LimitRequestsOptions) {
    const { maxAge = Infinity, onTimeout, onError } = options;
    this.#timed = maxAge !== Infinity;
    this.#proxies = new ProxyCheck(handler, "set the option client", onError);
    this.openConns = TimedConns.of(
      {
        maxAge,
        ...onError && { onError },
        ...onTimeout && {
          onTimeout: (timeout, { request, info }: InFlightRequest) => onTimeout(timeout, request, info),
        },
      },
      limiter,
      { close: (record) => (record as InFlightRequest).expire() },
    );
    this.#tracker = tracker;
    this.#handler = handler;
    this.#options = options;
  }

  recordOf({ request }: InFlightRequest): OpenConn | undefined {
    return (request as Recorded)[OPEN_CONN];
  }

  /** Tells of WebSockets that hold no slots. */
  readonly #unlimited = (check: Check): void => tellOnce(this.#handler, check, this.#options.onError);

  peerOf(inFlight: InFlightRequest): Peer {
    const { request, info } = inFlight;
    const { client, onError } = this.#options;
    if (client === undefined) return this.#tracker.peerOf(request, info) as Peer;
    try {
      const peer = inFlight.named = client(request, info);
      // Plain JavaScript can return a promise, which is no peer. Its rejection must not end the process.
      if (isThenable(peer)) peer.then(undefined, (error) => hookFailed(client, onError, error));
      return peer as Peer;
    } catch (error) {
      hookFailed(client, onError, error);
      inFlight.named = FAILED;
      return undefined as unknown as Peer;
    }
  }

  admit(inFlight: InFlightRequest, slot: Slot): unknown {
    const { request, info } = inFlight;
    inFlight.start(slot, this.openConns);
    if (this.#timed) inFlight.makeAbortable();
    let result: unknown;
    // In `finally`, because a handler that throws has ended its request.
    try {
      this.#tracker.start(inFlight, this.#options.client === undefined);
      result = this.#handler.call(inFlight.self, request, info);
      return result = promiseOf(result) ?? result;
    } finally {
      this.#tracker.handlerReturned(inFlight, result, this.#unlimited);
    }
  }

  present(inFlight: InFlightRequest): InFlightRequest {
    return inFlight;
  }

  refuse(inFlight: InFlightRequest, refusal: Refusal): Response | Promise<Response> {
    const { request, info } = inFlight;
    const { client, answer, onError } = this.#options;
    const { reason } = refusal;
    if (reason === "unknown-address") this.#tellWhy(inFlight);
    else if (reason === "client" && client === undefined && this.#proxies.isDue) {
      this.#proxies.look(this.#tracker.peerOf(request, info), (name) => request.headers.has(name));
    }
    if (answer === undefined) return refusedResponse(refusal);
    const failed = (error: unknown) => {
      hookFailed(answer, onError, error);
      return refusedResponse(refusal);
    };
    try {
      const response = answer(refusal, request, info);
      return isThenable(response) ? settle(response, refusal).catch(failed) : response ?? refusedResponse(refusal);
    } catch (error) {
      return failed(error);
    }
  }

  /** A server that refuses everyone must not do so in silence. */
  #tellWhy({ request, info, named }: InFlightRequest): void {
    const { client, onError } = this.#options;
    if (client === undefined) {
      const why = this.#tracker.whyUnknown(request, info);
      if (why !== undefined) tellOnce(this.#handler, why, onError);
    } else if (named !== FAILED) {
      const fault = faultOf(named);
      tellOnce(client, "client-unnamed", onError, () => fault.message, fault.remedy);
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

async function settle(response: PromiseLike<Response | void>, refusal: Refusal): Promise<Response> {
  return await response ?? refusedResponse(refusal);
}
