/**
 * The side of a limiter that users do not see.
 *
 * @module
 */

import type { Counts } from "./counts.ts";
import type { Level } from "./levels_of.ts";
import type { Peer } from "./peer.ts";

/** The key of {@linkcode LimiterInternals}. It is global: a limiter may come from another copy of this package. */
export const INTERNALS: unique symbol = Symbol.for("connlimit.internals");

/** The internals of a limiter, or of a slot that is held. */
export interface LimiterInternals {
  /** The counters of the limiter. */
  readonly counts: Counts;
  /** Names the client that a peer belongs to. Empty if there is none. Absent in slots. */
  readonly clientOf?: (peer: Peer) => string;
  /** Returns the levels at which a connection of a peer needs room. Absent in slots. */
  readonly levelsOf?: (peer: Peer) => readonly Level[] | undefined;
  /** Whether the rule of a peer's network lets each client have any number of connections. Absent in slots. */
  readonly isUnlimited?: (peer: Peer) => boolean;
}

/** An object that may have internals. */
interface Owner {
  readonly [INTERNALS]?: LimiterInternals;
  readonly local?: Owner;
}

/**
 * The internals of a limiter or a slot, or those of the limiter by which a user's own one counts. None of one that has no
 * such limiter, and of a released slot.
 */
export function internalsOf(owner: object): LimiterInternals | undefined {
  return ownInternals(owner) ?? (owner as Owner).local?.[INTERNALS];
}

/** The internals of a limiter or a slot of this package. */
export function ownInternals(owner: object): LimiterInternals | undefined {
  return (owner as Owner)[INTERNALS];
}
