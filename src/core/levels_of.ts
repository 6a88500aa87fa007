/**
 * The levels at which a connection needs room.
 *
 * @module
 */

import { type ClientKey, clientName } from "./client_key.ts";
import { clientOf } from "./client_of.ts";
import type { Counts } from "./counts.ts";
import type { CompiledLimits } from "./limits.ts";
import { shareOf } from "./fair_share.ts";
import type { Peer } from "./peer.ts";
import type { CompiledRate } from "./rate.ts";
import type { Rates } from "./rates.ts";

/** One of the limits that a connection must fit under. */
export interface Level {
  /**
   * The limit: of the client, of one of its aggregates, of all clients; of its exempt network, its fair share, or a rate.
   * It is also the reason of a refusal, except that a full `"network"` refuses as `"aggregate"`.
   */
  readonly level: "client" | "aggregate" | "total" | "network" | "fair-share" | "rate";
  /** The key of the client, aggregate or network. Absent for the total. */
  readonly key?: ClientKey;
  /** The name of the client, aggregate or network. Empty for the total. */
  readonly name: string;
  /** Connections open now. Of a rate, those of the burst that are taken. */
  readonly open: number;
  /** The most that may be open. Of a rate, the burst. */
  readonly max: number;
}

/**
 * Returns the levels of a connection of `peer`, in the order in which they are checked. `undefined` if the peer cannot be
 * identified. It changes nothing. An exempt network's connections have no maximum at the other levels.
 */
export function levelsOf(
  peer: Peer,
  compiled: CompiledLimits,
  counts: Counts,
  rates?: Rates,
): readonly Level[] | undefined {
  const client = clientOf(peer, compiled);
  if (client === undefined) return undefined;
  const { limits, policies } = compiled;
  const { key, rule } = client;
  const exempt = rule?.exempt;
  const most = (max: number) => exempt === undefined ? max : Infinity;
  const name = clientName(key);
  const open = counts.openFor(key);
  const aggregates = counts.aggregatesOf(key).map((aggregate) => ({ ...aggregate, name: clientName(aggregate.key) }));
  const levels: Level[] = [
    { level: "client", key, name, open, max: (rule ?? limits).maxPerClient },
    ...aggregates.map(({ key, name, max }): Level => (
      { level: "aggregate", key, name, open: counts.openIn(key), max: most(max) }
    )),
    { level: "total", name: "", open: counts.open, max: most(limits.maxTotal) },
  ];
  if (exempt !== undefined) {
    const { network } = rule!;
    levels.push({
      level: "network",
      key: network,
      name: clientName(network),
      open: counts.openExempt(network),
      max: exempt,
    });
  } else if (policies !== undefined) {
    const { fairShare } = policies;
    if (fairShare) {
      levels.push({ level: "fair-share", key, name, open, max: shareOf(fairShare, limits.maxTotal, counts.open) });
    }
    const rated: { key: ClientKey; name: string; rate?: CompiledRate | undefined }[] = [
      { key, name, rate: rule === undefined ? policies.rate : rule.rate },
      ...aggregates,
    ];
    for (const { key, name, rate } of rated) {
      if (rate === undefined) continue;
      levels.push({ level: "rate", key, name, open: rates!.taken(key, rate), max: rate.span / rate.interval });
    }
  }
  return levels;
}
