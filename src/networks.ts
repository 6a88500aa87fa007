/**
 * CIDR networks and the rules attached to them: the longest matching prefix wins.
 *
 * @module
 */

import { type Address, IPv6, parseAddress } from "./address.ts";
import { addressBits, type ClientKey, type Network, networkKey } from "./client.ts";

/** What holds for the clients of one network in place of {@linkcode LimitsOptions.maxPerClient}. */
export interface NetworkRule {
  /**
   * Connections that each client of the network may hold open: a whole number, or `Infinity`, with which the network's
   * clients are counted but never refused for their own count. `0` blocks the network.
   */
  readonly maxPerClient: number;
}

/** A rule with the length of the prefix that it was found under. */
export interface MatchedRule extends NetworkRule {
  readonly prefix: number;
}

/**
 * Reads CIDR notation, or a bare address as a network of one; `undefined` where it is neither. The network of
 * IPv4-mapped addresses `::ffff:10.0.0.0/104` is the IPv4 network 10.0.0.0/8.
 */
export function parseNetwork(text: string): Network | undefined {
  const slash = text.indexOf("/");
  const addressText = slash < 0 ? text : text.slice(0, slash);
  const address = parseAddress(addressText);
  if (address === undefined) return undefined;
  const bits = addressBits(address);
  if (slash < 0) return { address, prefix: bits };
  const prefixText = text.slice(slash + 1);
  if (!/^(0|[1-9][0-9]{0,2})$/.test(prefixText)) return undefined;
  const mapped = bits === 32 && addressText.includes(":");
  const prefix = Number(prefixText) - (mapped ? 96 : 0);
  return prefix >= 0 && prefix <= bits ? { address, prefix } : undefined;
}

/**
 * Rules by network. A look-up costs one map access for each different prefix length among the rules of the address's
 * family, however many rules there are.
 */
export class NetworkTable {
  readonly #rules = new Map<ClientKey, MatchedRule>();
  readonly #ipv4Prefixes: readonly number[];
  readonly #ipv6Prefixes: readonly number[];

  /** `rules` holds each network once and at least one. */
  constructor(rules: readonly (readonly [Network, NetworkRule])[]) {
    for (const [{ address, prefix }, { maxPerClient }] of rules) {
      this.#rules.set(networkKey(address, prefix), { maxPerClient, prefix });
    }
    this.#ipv4Prefixes = longestFirst(rules, 32);
    this.#ipv6Prefixes = longestFirst(rules, 128);
  }

  /** The rule of the longest prefix that covers the address. */
  find(address: Address): MatchedRule | undefined {
    const ipv4 = typeof address === "number";
    // Rules speak of addresses, whichever interface they were reached through.
    const bare = ipv4 || address.zone === "" ? address : new IPv6(address.a, address.b, address.c, address.d, "");
    for (const prefix of ipv4 ? this.#ipv4Prefixes : this.#ipv6Prefixes) {
      const rule = this.#rules.get(networkKey(bare, prefix));
      if (rule !== undefined) return rule;
    }
    return undefined;
  }
}

function longestFirst(rules: readonly (readonly [Network, NetworkRule])[], bits: 32 | 128): readonly number[] {
  const prefixes = rules
    .filter(([{ address }]) => addressBits(address) === bits)
    .map(([{ prefix }]) => prefix);
  return [...new Set(prefixes)].sort((one, other) => other - one);
}
