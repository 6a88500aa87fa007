/**
 * Client keys: the keys of the limiter's maps, and the client names that users see.
 *
 * The key of a single IPv4 address, the common case, is its 32 bits as an integer, which allocates nothing. Every other
 * network's key includes its prefix length. Equal bits under two prefix lengths are therefore two keys, and the prefix
 * lengths can change while connections are open.
 *
 * @module
 */

import { type Address, IPv6 } from "./address.ts";
import { type Cidr, formatCidr } from "./cidr.ts";

/** The key of a client or of an aggregate. Its format is private to this file. */
export type ClientKey = number | string;

/** 2^32. The keys of shorter IPv4 prefixes start here, above every 32-bit integer. */
const PREFIX_STEP = 0x1_0000_0000;

/** The first character of a key that is not an address. IPv6 keys start with their prefix length, 0 to 128. */
const NON_IP = "\uffff";

/** The key of all Unix peers. They have no addresses, so they are one client. */
export const UNIX_CLIENT: ClientKey = `${NON_IP}unix`;

/** The key of a client that the user names. The second marker keeps it distinct from {@linkcode UNIX_CLIENT}. */
export function customKey(name: string): ClientKey {
  return `${NON_IP}${NON_IP}${name}`;
}

/** The key of the network that contains an address, for a prefix length. */
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
  // fe80::/10 is link-local. A shorter prefix also covers addresses for which a zone id means nothing.
  return address.zone === "" || prefix < 10 ? key : key + address.zone;
}

/** A 32-bit mask of `bits` leading ones. JavaScript shifts modulo 32, hence the two special cases. */
function mask(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? -1 : -1 << (32 - bits);
}

/** The group of a key: 0 for IPv4, 1 for IPv6, 2 for what is not an address. */
export function familyOf(key: ClientKey): 0 | 1 | 2 {
  return typeof key === "number" ? 0 : key.charCodeAt(0) > 128 ? 2 : 1;
}

/** The network of a key, or `undefined` if the key is not of an address. */
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

/** The name of a client for users: `192.0.2.7`, `2001:db8:0:1::/64`, `unix`, or the user's own name for it. */
export function clientName(key: ClientKey): string {
  const network = cidrOf(key);
  if (network !== undefined) return formatCidr(network);
  return key === UNIX_CLIENT ? "unix" : (key as string).slice(2 * NON_IP.length);
}
