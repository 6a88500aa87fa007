/**
 * CIDR notation: parsing and formatting.
 *
 * @module
 */

import { type Address, formatAddress, parseAddress } from "./address.ts";

/** A network: one of its addresses, and its prefix length in bits. */
export interface Cidr {
  readonly address: Address;
  readonly prefix: number;
}

/**
 * Parses CIDR notation or a bare address. Returns `undefined` if `text` is neither. A bare address is a network of one
 * address. An IPv4-mapped network becomes its IPv4 network: `::ffff:10.0.0.0/104` is 10.0.0.0/8.
 */
export function parseCidr(text: string): Cidr | undefined {
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

/** Formats a network in CIDR notation. A network of one address is formatted as that address. */
export function formatCidr({ address, prefix }: Cidr): string {
  const text = formatAddress(address);
  return prefix === addressBits(address) ? text : `${text}/${prefix}`;
}

/** The length of an address in bits. */
function addressBits(address: Address): 32 | 128 {
  return typeof address === "number" ? 32 : 128;
}
