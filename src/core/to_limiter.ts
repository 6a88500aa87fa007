/**
 * Limits given as options, or as a limiter.
 *
 * @module
 */

import { Limiter } from "./limiter.ts";
import type { LimitsOptions } from "./limits.ts";

/**
 * Returns `limits` if it is a limiter, else a new limiter with them. Duck-typed: the limiter may come from another copy
 * of this package.
 */
export function toLimiter(limits: Limiter | LimitsOptions): Limiter {
  const isLimiter = typeof (limits as Partial<Limiter> | null)?.tryAccept === "function";
  return isLimiter ? limits as Limiter : new Limiter(limits as LimitsOptions);
}
