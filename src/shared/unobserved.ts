/**
 * Counting without being seen.
 *
 * @module
 */

import type { Counts } from "../core/counts.ts";

/**
 * Does something with a limiter's counts that its observer does not see. A connection is admitted when the store has answered,
 * and not when it is counted here.
 */
export function unobserved<T>(counts: Counts, act: () => T): T {
  const { observer } = counts;
  if (observer === undefined) return act();
  counts.observer = undefined;
  try {
    return act();
  } finally {
    counts.observer = observer;
  }
}
