/**
 * `explain()`: what a limiter would answer, and why.
 *
 * @module
 */

import { formatAddress } from "./address.ts";
import { cidrOf, clientName, prefixKey, UNIX_CLIENT } from "./client_key.ts";
import { findRule } from "./client_of.ts";
import type { Counts } from "./counts.ts";
import type { Explanation, FoundBy } from "./explanation.ts";
import { levelsOf } from "./levels_of.ts";
import type { CompiledLimits } from "./limits.ts";
import { identify, type Peer } from "./peer.ts";
import type { MatchedRule } from "./prefix_map.ts";

/** Explains what a limiter would answer to a peer. It only reads. */
export function explain(peer: Peer, compiled: CompiledLimits, counts: Counts): Explanation {
  const levels = levelsOf(peer, compiled, counts);
  const identity = identify(peer);
  if (levels === undefined || identity === undefined) {
    return { admitted: false, reason: "unknown-address", client: null, found: null, levels: [] };
  }
  const rule = findRule(identity, compiled.networks);
  const { key, name } = levels[0]!;
  const full = levels.find(({ open, max }) => open >= max);
  return {
    admitted: full === undefined,
    reason: full === undefined ? null : full.max === 0 && full === levels[0] && rule ? "blocked" : full.level,
    client: name,
    found: typeof identity === "string"
      ? { by: key === UNIX_CLIENT ? "unix" : "key", address: null, mapped: false, prefix: null, rule: null }
      : foundBy(peer, identity, cidrOf(key!)!.prefix, rule),
    levels: levels.map(({ level, name, open, max }) => ({ level, name, open, max: finite(max), room: open < max })),
  };
}

function foundBy(
  peer: Peer,
  address: Exclude<ReturnType<typeof identify>, string | undefined>,
  prefix: number,
  rule: MatchedRule | undefined,
): FoundBy {
  const { remoteAddr, remoteAddress } = peer as { remoteAddr?: { hostname: string }; remoteAddress: string };
  const text = typeof peer === "string" ? peer : remoteAddr?.hostname ?? remoteAddress;
  return {
    by: "address",
    address: formatAddress(address),
    mapped: typeof address === "number" && text.includes(":"),
    prefix,
    rule: rule === undefined ? null : {
      // A rule has no zone id.
      network: clientName(prefixKey(address, rule.prefix)).replace(/%[^/]*/, ""),
      maxPerClient: finite(rule.maxPerClient),
    },
  };
}

/** JSON has no `Infinity`. */
function finite(max: number): number | null {
  return max === Infinity ? null : max;
}
