/**
 * What other parts of the library need of a limiter and users do not.
 *
 * @module
 */

import type { Peer } from "./peer.ts";
import type { RefusalReason } from "./reasons.ts";
import type { Admission } from "./slot.ts";

/** The key of a limiter's {@linkcode LimiterInternals}. It is global, since a limiter may come from another copy of this package. */
export const INTERNALS: unique symbol = Symbol.for("connlimit.internals");

/**
 * Releases slots of connections that have ended unnoticed. Called before a refusal, with its reason and a function that
 * names the client. Returns whether to try once more.
 */
export type Sweep = (reason: RefusalReason, client: () => string) => boolean;

/** The internals of a limiter. */
export interface LimiterInternals {
  /** As the limiter's own `tryAccept()`, with a sweep before a refusal. */
  tryAccept(peer: Peer, sweep: Sweep): Admission;
}

/** The internals of a limiter; none where it is something else that admits connections. */
export function internalsOf(limiter: object): LimiterInternals | undefined {
  return (limiter as { readonly [INTERNALS]?: LimiterInternals })[INTERNALS];
}
