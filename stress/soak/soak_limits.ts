/**
 * The limits of a soak, and how they change.
 *
 * @module
 */

import type { Limits, LimitsOptions } from "../../mod.ts";
import type { Random } from "../../testing/random.ts";

/** A network that is blocked. */
export const BLOCKED = "127.66.0.0/16";
/** A network whose clients may have more than others. */
export const GENEROUS = "127.77.0.0/16";
const GENEROUS_MOST = 6;

/** The highest limits that are ever in force. */
export const MOST: LimitsOptions & { readonly maxPerClient: number; readonly maxTotal: number } = {
  maxPerClient: 3,
  maxTotal: 24,
  aggregates: [{ ipv4Prefix: 24, ipv6Prefix: 48, max: 6 }],
  networks: { [BLOCKED]: { maxPerClient: 0 }, [GENEROUS]: { maxPerClient: GENEROUS_MOST } },
};

/** Every other time the highest, and else lower ones, some with other aggregates, for which all is counted anew. */
export function nextLimits(random: Random): LimitsOptions {
  if (random.below(2) < 1) return MOST;
  return {
    ...MOST,
    maxPerClient: random.integer(1, MOST.maxPerClient),
    maxTotal: random.integer(12, MOST.maxTotal),
    aggregates: random.pick([
      MOST.aggregates!,
      [{ ipv4Prefix: 24, ipv6Prefix: 56, max: random.integer(3, 6) }],
      [...MOST.aggregates!, { ipv4Prefix: 12, ipv6Prefix: 32, max: 12 }],
    ]),
  };
}

/** How many connections a client may have open, given by its address. */
export function mostOf(client: string, { maxPerClient }: Pick<Limits, "maxPerClient">): number {
  return client.startsWith("127.77.") ? GENEROUS_MOST : maxPerClient;
}
