/**
 * Limits given as options, or as a limiter.
 *
 * @module
 */

import type { Admitter, GivenLimits, LimiterOf } from "./admitter.ts";
import { Limiter } from "./limiter.ts";
import type { LimitsOptions } from "./limits.ts";

/**
 * Returns `limits` if it is a limiter, else a new limiter with them. Duck-typed: the limiter may come from another copy
 * of this package, or be the user's own.
 */
export function toLimiter<L extends GivenLimits>(limits: L | LimitsOptions): LimiterOf<L> {
  const isLimiter = typeof (limits as Partial<Admitter> | null)?.tryAccept === "function";
  return (isLimiter ? limits : new Limiter(limits as LimitsOptions)) as LimiterOf<L>;
}

/** Whether a limiter is known to answer at once: it is a `Limiter` of this copy, and nothing is in front of its method. */
export function answersAtOnce(limiter: Admitter): limiter is Limiter {
  return limiter.tryAccept === Limiter.prototype.tryAccept;
}
