/**
 * `oncePerLimiter()`: what all listeners and servers of one limiter share.
 *
 * @module
 */

import { type LimiterInternals, ownInternals } from "../core/internals.ts";
import type { Limiter } from "../core/limiter.ts";

/**
 * Returns a function that makes something for a limiter when it is first asked for, and then returns the same. It throws a
 * `TypeError` for what is not a `Limiter`, such as one that counts by a `Limiter`, but decides elsewhere.
 *
 * @param whenFull The value of the option that needs it.
 */
export function oncePerLimiter<T>(
  whenFull: string,
  make: (limiter: Limiter, internals: Required<LimiterInternals>) => T,
): (limiter: object) => T {
  const made = new WeakMap<object, T>();
  return (limiter) => {
    const internals = ownInternals(limiter);
    if (internals?.levelsOf === undefined || !("limits" in limiter)) {
      throw new TypeError(`whenFull must be "refuse" with a limiter that is not a Limiter, got "${whenFull}"`);
    }
    let it = made.get(internals.counts);
    if (it === undefined) {
      it = make(limiter as Limiter, internals as Required<LimiterInternals>);
      made.set(internals.counts, it);
    }
    return it;
  };
}
