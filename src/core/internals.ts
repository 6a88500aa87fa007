/**
 * The side of a limiter that users do not see.
 *
 * @module
 */

import type { Counts } from "./counts.ts";

/** The key of {@linkcode LimiterInternals}. It is global: a limiter may come from another copy of this package. */
export const INTERNALS: unique symbol = Symbol.for("connlimit.internals");

/** The internals of a limiter. */
export interface LimiterInternals {
  /** Its counters. */
  readonly counts: Counts;
}

/** The internals of a limiter; none where something else admits connections. */
export function internalsOf(limiter: object): LimiterInternals | undefined {
  return (limiter as { readonly [INTERNALS]?: LimiterInternals })[INTERNALS];
}
