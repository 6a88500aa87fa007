/**
 * `explain()`: what a limiter would answer, and why.
 *
 * @module
 */

import { type Address, formatAddress } from "./address.ts";
import { cidrOf, clientName, UNIX_CLIENT } from "./client_key.ts";
import { findRule } from "./client_of.ts";
import type { Counts } from "./counts.ts";
import type { Explanation, FoundBy } from "./explanation.ts";
import { levelsOf } from "./levels_of.ts";
import type { CompiledLimits } from "./limits.ts";
import { identify, type Peer } from "./peer.ts";
import type { Rates } from "./rates.ts";
import type { RefusalReason } from "./reasons.ts";

/** Explains what a limiter would answer to a peer. It only reads. */
export function explain(peer: Peer, compiled: CompiledLimits, counts: Counts, rates: Rates | undefined): Explanation {
  const identity = identify(peer);
  const levels = levelsOf(peer, compiled, counts, rates) ?? [];
  const [own] = levels;
  const full = levels.find(({ open, max }) => open >= max);
  let why: RefusalReason | null = null;
  let found: FoundBy | null = null;
  if (identity === undefined) {
    why = "unknown-address";
  } else {
    const rule = findRule(identity, compiled.networks);
    if (full !== undefined) {
      why = full === own && rule?.blocked ? "blocked" : full.level === "network" ? "aggregate" : full.level;
    }
    const address = typeof identity === "string" ? null : identity;
    found = {
      by: address !== null ? "address" : own!.key === UNIX_CLIENT ? "unix" : "key",
      address: address === null ? null : formatAddress(address),
      mapped: isMapped(peer, address),
      prefix: address === null ? null : cidrOf(own!.key!)!.prefix,
      rule: rule === undefined ? null : {
        network: clientName(rule.network),
        maxPerClient: finite(rule.maxPerClient),
        exempt: rule.exempt !== undefined,
      },
    };
  }
  const { dryRun } = compiled.limits;
  return {
    admitted: why === null || dryRun,
    reason: dryRun ? null : why,
    wouldRefuse: dryRun ? why : null,
    client: own?.name ?? null,
    found,
    levels: levels.map(({ level, name, open, max }) => ({ level, name, open, max: finite(max), room: open < max })),
  };
}

/** Whether an IPv4 address was given as one of IPv6. */
function isMapped(peer: Peer, address: Address | null): boolean {
  const { remoteAddr, remoteAddress } = peer as { remoteAddr?: { hostname: string }; remoteAddress: string };
  const text = typeof peer === "string" ? peer : remoteAddr?.hostname ?? remoteAddress;
  return typeof address === "number" && text.includes(":");
}

/** JSON has no `Infinity`. */
function finite(max: number): number | null {
  return max === Infinity ? null : max;
}
