/**
 * What differs per runtime in following a request to its end.
 *
 * @module
 */

import type { Peer } from "../peer.ts";
import type { RefusalReason } from "../slot.ts";
import type { Hold } from "./hold.ts";

/**
 * Follows the requests of one runtime.
 *
 * @typeParam I What the runtime hands to a fetch handler beside the request.
 */
export interface Follower<I> {
  /** Whose request it is, unless there is no telling. */
  peerOf(request: Request, info: I): Peer | undefined;
  /** Gives back the slots of requests that have ended without its being noticed, where there can be any. */
  readonly reclaim?: (reason: RefusalReason, client: () => string) => boolean;
  /**
   * Follows an admitted request, before its handler is called.
   *
   * @param found Whether {@linkcode Follower.peerOf} has found the client.
   */
  begin(hold: Hold, info: I, found: boolean): void;
  /** Takes note that the handler has returned, maybe with a promise. */
  returned(hold: Hold, result: unknown, info: I): void;
}
