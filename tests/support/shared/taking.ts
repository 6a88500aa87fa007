/**
 * What is alike in a thread that has a store and in those that count in it.
 *
 * @module
 */

import type { Slot } from "@connlimit/connlimit";
import type { SharingLimitOptions, StoreLimiter } from "@connlimit/connlimit/shared";

/** Without the store nobody is admitted, so that the limit is exact, however busy the machine is. */
export const SHARING: SharingLimitOptions = {
  heartbeatMs: 20,
  deadMs: 250,
  deadlineMs: 200,
  onStoreDown: "closed",
};

/** The address of one of some clients. */
export function clientOf(client = 0): string {
  return `198.51.100.${client}`;
}

/** Takes as many slots as there are, up to `count`. */
export async function take(limiter: StoreLimiter, count: number, client?: number): Promise<Slot[]> {
  const asked = Array.from({ length: count }, () => limiter.tryAccept(clientOf(client)));
  return (await Promise.all(asked)).filter((admission) => admission.admitted);
}
