/**
 * The policies that limits may have besides counts.
 *
 * @module
 */

import type { ClientKey } from "./client_key.ts";
import type { Aggregate, Counts } from "./counts.ts";
import { shareOf } from "./fair_share.ts";
import type { Policies } from "./limits.ts";
import type { CompiledRule } from "./network_rules.ts";
import type { Rates } from "./rates.ts";
import type { RefusalReason } from "./reasons.ts";

/** A connection that fits under all counts. */
export interface Fitting {
  readonly client: ClientKey;
  readonly rule: CompiledRule | undefined;
  /** The client's open connections. */
  readonly open: number;
  readonly aggregates: readonly Aggregate[];
}

/** Asks the fair share and the rate. The rate is last, so that it is spent by admitted connections only. */
export function applyPolicies(
  { fairShare, rate, maxTracked }: Policies,
  maxTotal: number,
  counts: Counts,
  rates: Rates | undefined,
  { client, rule, open, aggregates }: Fitting,
): RefusalReason | undefined {
  if (fairShare && open >= shareOf(fairShare, maxTotal, counts.open)) return "fair-share";
  if (maxTracked === 0) return undefined;
  return rates!.take(client, rule === undefined ? rate : rule.rate, aggregates) ? undefined : "rate";
}
