/**
 * The runtime-specific part of tracking a request to its end.
 *
 * @module
 */

import type { Check } from "../admission/checks.ts";
import type { Peer } from "../core/peer.ts";
import type { InFlightRequest } from "./in_flight_request.ts";

/**
 * Tracks the requests of one runtime, and releases their slots when they end.
 *
 * @typeParam I The second argument that the runtime passes to a fetch handler.
 */
export interface RequestTracker<I> {
  /** Returns the peer of a request, or `undefined` if it has none. */
  peerOf(request: Request, info: I): Peer | undefined;
  /** Why a request has no usable peer, and what to do about it. Absent if it has one, or if its client has left. */
  whyUnknown(request: Request, info: I): Check | undefined;
  /**
   * Starts to track an admitted request, before its handler is called.
   *
   * @param peerFound Whether {@linkcode RequestTracker.peerOf} has returned the request's peer.
   */
  start(inFlight: InFlightRequest, peerFound: boolean): void;
  /**
   * Called when the handler has returned or thrown. A promise in `result` is one of the language's own.
   *
   * @param unlimited Is told why if the request becomes a WebSocket that holds no slot.
   */
  handlerReturned(inFlight: InFlightRequest, result: unknown, unlimited: (check: Check) => void): void;
  /**
   * Calls `left` when the client of a pending request leaves. Returns what ends that. Absent where the runtime does not
   * report it.
   */
  watchPending?(request: Request, left: () => void): () => void;
}
