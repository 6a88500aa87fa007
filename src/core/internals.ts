/**
 * The side of a limiter that users do not see.
 *
 * @module
 */

import type { ClientKey } from "./client_key.ts";
import type { Counts } from "./counts.ts";
import type { Peer } from "./peer.ts";
import type { RefusalReason } from "./reasons.ts";
import type { Slot } from "./slot.ts";

/** The key of {@linkcode LimiterInternals}. It is global: a limiter may come from another copy of this package. */
export const INTERNALS: unique symbol = Symbol.for("connlimit.internals");

/** The internals of a limiter, or of a slot that is held. */
export interface LimiterInternals {
  /** The counters of the limiter. */
  readonly counts: Counts;
  /** Admits a connection, or says why not without counting a refusal. Absent where a decision takes time. */
  readonly attempt?: (peer: Peer) => Slot | RefusalReason;
  /** The client that a peer belongs to, if there is one. */
  readonly clientOf?: (peer: Peer) => ClientKey | undefined;
}

/** The internals of a limiter or a slot; none where something else admits connections, and of a released slot. */
export function internalsOf(owner: object): LimiterInternals | undefined {
  return (owner as { readonly [INTERNALS]?: LimiterInternals })[INTERNALS];
}
