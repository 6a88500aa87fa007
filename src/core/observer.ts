/**
 * Observers of a limiter: what metrics and logs are built on.
 *
 * @module
 */

import type { ClientKey } from "./client_key.ts";
import type { Peer } from "./peer.ts";
import type { RefusalReason } from "./reasons.ts";
import type { Slot } from "./slot.ts";

/**
 * Is called on the hot path, right after the limiter has counted. A method must not throw, and must not call the limiter.
 */
export interface LimiterObserver {
  /** A connection has been admitted. */
  admitted(slot: Slot): void;
  /** A slot has been released. */
  released(slot: Slot): void;
  /**
   * A connection has been refused. Its peer is absent where no limiter was asked, and its client where the peer has none.
   */
  refused(reason: RefusalReason, peer: Peer | undefined, client: ClientKey | undefined): void;
  /** A connection would have been refused, if this were no dry run. `admitted()` is called right after. */
  wouldRefuse?(reason: RefusalReason, peer: Peer, client: ClientKey | undefined): void;
}
