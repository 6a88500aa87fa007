/**
 * The part of a limiter that the library needs and users do not.
 *
 * @module
 */

import type { Peer } from "./peer.ts";
import type { RefusalReason } from "./reasons.ts";
import type { Admission } from "./slot.ts";

/**
 * The property with a limiter's {@linkcode LimiterInternals}. The symbol is global because the limiter may come from
 * another copy of this package.
 */
export const INTERNALS: unique symbol = Symbol.for("connlimit.internals");

/**
 * Releases the slots of connections that have already ended. The limiter calls it before a refusal, with the reason and
 * a function that returns the client's name. It returns `true` to retry once.
 */
export type Sweep = (reason: RefusalReason, client: () => string) => boolean;

/** The internals of a limiter. */
export interface LimiterInternals {
  /** Does the same as the limiter's own `tryAccept()`, with a sweep before a refusal. */
  tryAccept(peer: Peer, sweep: Sweep): Admission;
}

/** Returns a limiter's internals, or `undefined` if `limiter` is an object of another kind. */
export function internalsOf(limiter: object): LimiterInternals | undefined {
  return (limiter as { readonly [INTERNALS]?: LimiterInternals })[INTERNALS];
}
