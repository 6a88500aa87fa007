/**
 * Networks: CIDR notation, read and written.
 *
 * @module
 */

import { type Address, formatAddress, parseAddress } from "./address.ts";

/** An address and how many of its leading bits count. */
export interface Cidr {
  readonly address: Address;
  readonly prefix: number;
}

/**
 * Reads CIDR notation, or a bare address as a network of one; `undefined` where it is neither. The network of
 * IPv4-mapped addresses `::ffff:10.0.0.0/104` is the IPv4 network 10.0.0.0/8.
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

/** CIDR notation, without the length where it is the whole address. */
export function formatCidr({ address, prefix }: Cidr): string {
  const text = formatAddress(address);
  return prefix === addressBits(address) ? text : `${text}/${prefix}`;
}

/** How many bits an address of this family has. */
function addressBits(address: Address): 32 | 128 {
  return typeof address === "number" ? 32 : 128;
}
