/**
 * The client that a peer belongs to, under the limits in force.
 *
 * @module
 */

import { parseCidr } from "./cidr.ts";
import { type ClientKey, clientName, prefixKey, UNIX_CLIENT } from "./client_key.ts";
import type { CompiledLimits, Limits } from "./limits.ts";
import type { CompiledRule } from "./network_rules.ts";
import { identify, type Identity, type Peer } from "./peer.ts";
import type { PrefixMap } from "./prefix_map.ts";

/** A client: its key, and the rule that holds for it. */
export interface FoundClient {
  readonly key: ClientKey;
  readonly rule: CompiledRule | undefined;
}

/** Returns the client that a peer belongs to. `undefined` if the peer cannot be identified. */
export function clientOf(peer: Peer, { limits, networks }: CompiledLimits): FoundClient | undefined {
  const identity = identify(peer);
  if (identity === undefined) return undefined;
  const rule = findRule(identity, networks);
  return { key: keyOf(identity, limits, rule), rule };
}

/** Returns the name of the client that a peer belongs to. Empty if there is none. */
export function nameOf(peer: Peer, compiled: CompiledLimits): string {
  const client = clientOf(peer, compiled);
  return client === undefined ? "" : clientName(client.key);
}

/** Returns the rule of the network that contains an address. */
export function findRule(identity: Identity, networks: PrefixMap<CompiledRule> | undefined): CompiledRule | undefined {
  return networks === undefined || typeof identity === "string" ? undefined : networks.find(identity);
}

/** Returns the key of the client that a peer belongs to. */
export function keyOf(
  identity: Identity,
  { ipv4Prefix, ipv6Prefix }: Limits,
  rule: CompiledRule | undefined,
): ClientKey {
  if (typeof identity === "string") return identity;
  if (rule !== undefined) return prefixKey(identity, rule.clientPrefix);
  return prefixKey(identity, typeof identity === "number" ? ipv4Prefix : ipv6Prefix);
}

/** Whether the rule of a peer's network lets each client have any number of connections. */
export function isUnlimited(peer: Peer, compiled: CompiledLimits): boolean {
  const rule = clientOf(peer, compiled)?.rule;
  if (rule?.maxPerClient !== Infinity) return false;
  // What a rule leaves out is as for everyone.
  return rule.exempt !== undefined || compiled.limits.networks[clientName(rule.network)]?.maxPerClient === Infinity;
}

/** Parses a client name that is not a peer: CIDR notation, or `unix`. */
export function namedNetwork(name: Peer): ClientKey | undefined {
  if (name === "unix") return UNIX_CLIENT;
  if (typeof name !== "string" || !name.includes("/")) return undefined;
  const network = parseCidr(name);
  return network && prefixKey(network.address, network.prefix);
}
