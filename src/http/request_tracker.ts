/**
 * What differs per runtime in following a request to its end.
 *
 * @module
 */

import type { Peer } from "../core/peer.ts";
import type { InFlightRequest } from "./in_flight_request.ts";
import type { Sweep } from "./sweep.ts";

/**
 * Follows the requests of one runtime.
 *
 * @typeParam I What the runtime hands to a fetch handler beside the request.
 */
export interface RequestTracker<I> {
  /** Whose request it is, unless there is no telling. */
  peerOf(request: Request, info: I): Peer | undefined;
  /** Gives back the slots of requests that have ended without its being noticed, where there can be any. */
  readonly sweep?: Sweep;
  /**
   * Follows an admitted request, before its handler is called.
   *
   * @param found Whether {@linkcode RequestTracker.peerOf} has found the client.
   */
  start(inFlight: InFlightRequest, found: boolean): void;
  /** Takes note that the handler has returned, maybe with a promise. */
  handlerReturned(inFlight: InFlightRequest, result: unknown): void;
  /** Calls `left` when the client of a pending request leaves, where that can be seen. Returns what ends that. */
  watchPending?(request: Request, left: () => void): () => void;
}
