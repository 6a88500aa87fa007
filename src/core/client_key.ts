/**
 * Client keys: what the limiter's map is keyed by, and how a key reads.
 *
 * An IPv4 /32, the common case, is its 32 bits as a small integer, which costs no allocation. Everything else is
 * prefixed with its length, so that the same bits under two prefixes are two keys and the prefixes can change while
 * connections are open.
 *
 * @module
 */

import { type Address, IPv6 } from "./address.ts";
import { type Cidr, formatCidr } from "./cidr.ts";

/** The key of a client or of an aggregate. Opaque outside this file. */
export type ClientKey = number | string;

/** Two to the 32nd: keys of shorter IPv4 prefixes lie above every 32-bit integer. */
const PREFIX_STEP = 0x1_0000_0000;

/** Starts the key of a client that is not an address. An IPv6 key starts with its prefix, 0 to 128. */
const NAMED = "\uffff";

/** All peers of Unix sockets: they have no address to tell them apart by. */
export const UNIX_CLIENT: ClientKey = `${NAMED}unix`;

/** The key of a client that the user names. The second mark keeps it apart from {@linkcode UNIX_CLIENT}. */
export function customKey(name: string): ClientKey {
  return `${NAMED}${NAMED}${name}`;
}

/** The key of the network that an address belongs to under a prefix. */
export function prefixKey(address: Address, prefix: number): ClientKey {
  if (typeof address === "number") {
    if (prefix === 32) return address | 0;
    return (prefix + 1) * PREFIX_STEP + ((address & mask(prefix)) >>> 0);
  }
  return ipv6Key(address, prefix);
}

function ipv6Key(address: IPv6, prefix: number): ClientKey {
  const a = address.a & mask(prefix);
  const b = address.b & mask(prefix - 32);
  let key = String.fromCharCode(prefix, a >>> 16, a & 0xffff, b >>> 16, b & 0xffff);
  if (prefix > 64) {
    const c = address.c & mask(prefix - 64);
    const d = address.d & mask(prefix - 96);
    key += String.fromCharCode(c >>> 16, c & 0xffff, d >>> 16, d & 0xffff);
  }
  // Short of ten bits it is no link-local network any more, in which alone a zone means something.
  return address.zone === "" || prefix < 10 ? key : key + address.zone;
}

/** A 32-bit mask of `bits` leading ones; shifts work modulo 32, so both ends need saying. */
function mask(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? -1 : -1 << (32 - bits);
}

/** The network a key stands for, or `undefined` where it stands for no address. */
export function cidrOf(key: ClientKey): Cidr | undefined {
  if (typeof key === "number") {
    if (key < PREFIX_STEP) return { address: key >>> 0, prefix: 32 };
    return { address: key >>> 0, prefix: Math.floor(key / PREFIX_STEP) - 1 };
  }
  const prefix = key.charCodeAt(0);
  if (prefix > 128) return undefined;
  const words = prefix > 64 ? 4 : 2;
  const word = (index: number) =>
    index < words ? key.charCodeAt(1 + 2 * index) << 16 | key.charCodeAt(2 + 2 * index) : 0;
  const zone = key.slice(1 + 2 * words);
  return { address: new IPv6(word(0), word(1), word(2), word(3), zone), prefix };
}

/** How a client reads: `192.0.2.7`, `2001:db8:0:1::/64`, `unix`, or the name the user gave. */
export function clientName(key: ClientKey): string {
  const network = cidrOf(key);
  if (network !== undefined) return formatCidr(network);
  return key === UNIX_CLIENT ? "unix" : (key as string).slice(2 * NAMED.length);
}
