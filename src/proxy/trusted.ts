/**
 * The option `trusted`: the proxies that are believed.
 *
 * @module
 */

import { type Cidr, formatCidr, parseCidr } from "../core/cidr.ts";
import { cidrOf, prefixKey, UNIX_CLIENT } from "../core/client_key.ts";
import type { Identity } from "../core/peer.ts";
import { PrefixMap } from "../core/prefix_map.ts";
import { formatValue, typeError } from "../core/validate.ts";

/** Whether a peer, as `identify()` sees it, is a trusted proxy. A peer without an identity is none. */
export type IsTrusted = (peer: Identity | undefined) => boolean;

/** The name of all Unix peers in the option. */
const UNIX = "unix";

/**
 * Compiles the option `trusted`. Networks may overlap and repeat.
 *
 * @throws {TypeError} If it is not an array of texts.
 * @throws {RangeError} If it is empty, or for a text that is neither a network nor `"unix"`.
 */
export function trustedNetworks(trusted: readonly string[]): IsTrusted {
  if (!Array.isArray(trusted)) throw typeError("trusted", "an array of networks in CIDR notation", trusted);
  if (trusted.length === 0) throw new RangeError("trusted must name at least one network, got an empty array");
  const networks = new Map<string, Cidr>();
  for (const [index, text] of trusted.entries()) {
    if (text === UNIX) continue;
    const network = checkNetwork(`trusted[${index}]`, text);
    networks.set(formatCidr(network), network);
  }
  // What the rule says does not matter: an address has one or it has none.
  const map = new PrefixMap([...networks.values()].map((network) => [network, { maxPerClient: 0 }]));
  const unix = trusted.includes(UNIX);
  return (peer) => {
    if (peer === undefined) return false;
    return typeof peer === "string" ? unix && peer === UNIX_CLIENT : map.find(peer) !== undefined;
  };
}

function checkNetwork(name: string, text: unknown): Cidr {
  if (typeof text !== "string") throw typeError(name, "a network in CIDR notation", text);
  const network = parseCidr(text);
  // A network is the same on every interface, so it has no zone id.
  if (network === undefined || text.includes("%")) {
    throw new RangeError(`${name} must be a network such as "10.0.0.0/8", or "unix", got ${formatValue(text)}`);
  }
  const { address, prefix } = network;
  if (prefix === 0) throw new RangeError(`${name} must not be everybody, got ${formatValue(text)}`);
  const canonical = formatCidr(cidrOf(prefixKey(address, prefix))!);
  if (formatCidr(network) !== canonical) {
    throw new RangeError(`${name} has bits set after its prefix, got ${formatValue(text)}; write "${canonical}"`);
  }
  return network;
}
