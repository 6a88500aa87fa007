/**
 * Rules for networks, scattered like the clients.
 *
 * @module
 */

import type { NetworkRule } from "../../mod.ts";
import { type Family, ipv4, ipv6, scatter } from "./client_addresses.ts";

const ONE_PREFIX: Readonly<Record<Family, number>> = { IPv4: 24, IPv6: 48 };
/** The shortest and the longest where there are many. */
const MANY_PREFIXES: Readonly<Record<Family, readonly [number, number]>> = { IPv4: [9, 32], IPv6: [33, 64] };

/** So many rules, of one prefix or of many. */
export function rules(family: Family, count: number, manyPrefixes: boolean): Record<string, NetworkRule> {
  const [shortest, longest] = MANY_PREFIXES[family];
  const networks: Record<string, NetworkRule> = {};
  // Of the short prefixes there are fewer than rules. What comes twice is one network.
  for (let i = 0, left = count; left > 0; i++) {
    const prefix = manyPrefixes ? longest - i % (longest - shortest + 1) : ONE_PREFIX[family];
    const text = network(family, scatter(i * 7), scatter(i * 11), prefix);
    if (Object.hasOwn(networks, text)) continue;
    networks[text] = { maxPerClient: 50 };
    left--;
  }
  return networks;
}

function network(family: Family, high: number, low: number, prefix: number): string {
  const address = family === "IPv4" ? ipv4(high & -1 << 32 - prefix) : ipv6(high, low & -1 << 64 - prefix);
  return `${address}/${prefix}`;
}
