/**
 * Snapshots of counters.
 *
 * @module
 */

import type { Counts } from "./counts.ts";
import type { LimiterStats } from "./limiter_stats.ts";

/** Returns a snapshot of counters. */
export function statsOf(
  { open, clients, peak, pending, admitted, refusedBy, wouldRefuse, timedOut, evicted }: Counts,
): LimiterStats {
  return {
    open,
    clients,
    peak,
    pending,
    admitted,
    refused: Object.values(refusedBy).reduce((sum, count) => sum + count, 0),
    refusedBy: { ...refusedBy },
    timedOut: { ...timedOut },
    wouldRefuse: { ...wouldRefuse },
    evicted,
  };
}
