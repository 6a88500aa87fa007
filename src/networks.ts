/**
 * CIDR networks and the rules attached to them.
 *
 * @module
 */

import { parseAddress } from "./address.ts";
import { addressBits, type Network } from "./client.ts";

/** What holds for the clients of one network in place of {@linkcode LimitsOptions.maxPerClient}. */
export interface NetworkRule {
  /**
   * Connections that each client of the network may hold open: a whole number, or `Infinity`, with which the network's
   * clients are counted but never refused for their own count. `0` blocks the network.
   */
  readonly maxPerClient: number;
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
