/**
 * Version 2 of the PROXY protocol: a binary header.
 *
 * @module
 */

import { type Address, IPv6 } from "../core/address.ts";
import { crc32c } from "./crc32c.ts";
import { ProxyHeader, type Route } from "./proxy_protocol_header.ts";
import { CRC32C, TLV_HEADER } from "./tlvs.ts";

/** With it every header begins. */
const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];

/** The length of what precedes the addresses. */
const FIXED = 16;

/** Version and command. */
const LOCAL = 0x20;
const PROXY = 0x21;

/** Family and transport of TCP. All others are of clients that have no IP address, or come by no connection. */
const TCP4 = 0x11;
const TCP6 = 0x21;

/** The length of the addresses, by family and transport. Other values are invalid. */
const ADDRESSES = new Uint8Array(256).fill(255);
ADDRESSES[0x00] = 0;
ADDRESSES[TCP4] = ADDRESSES[0x12] = 12;
ADDRESSES[TCP6] = ADDRESSES[0x22] = 36;
ADDRESSES[0x31] = ADDRESSES[0x32] = 216;

/** Like `parseProxyHeader()`, for bytes that begin with a CR. */
export function parseV2(bytes: Uint8Array, maxHeader: number): ProxyHeader | number | undefined {
  const known = bytes.length;
  for (let i = 0; i < SIGNATURE.length && i < known; i++) if (bytes[i] !== SIGNATURE[i]) return undefined;
  // No more than the shortest header of version 1, so that a reader need not know the version.
  if (known < FIXED - 1) return FIXED - 1 - known;
  const command = bytes[12]!;
  if (command !== PROXY && command !== LOCAL) return undefined;
  // Of `LOCAL`, nothing that follows means anything.
  const addresses = command === LOCAL ? 0 : ADDRESSES[bytes[13]!]!;
  if (addresses === 255) return undefined;
  if (known < FIXED) return bytes[14]! << 8 > maxHeader ? undefined : FIXED + addresses - known;
  const length = FIXED + (bytes[14]! << 8 | bytes[15]!);
  const tlvs = FIXED + addresses;
  if (length > maxHeader || length < tlvs) return undefined;
  if (known < length) return length - known;
  if (command === LOCAL) return new ProxyHeader(2, "LOCAL", length, undefined);
  const route = bytes[13] === TCP4 ? routeOf4(bytes) : bytes[13] === TCP6 ? routeOf6(bytes) : undefined;
  if (length === tlvs) return new ProxyHeader(2, "PROXY", length, route);
  return checkTlvs(bytes, tlvs, length)
    ? new ProxyHeader(2, "PROXY", length, route, bytes.slice(tlvs, length))
    : undefined;
}

function routeOf4(bytes: Uint8Array): Route {
  return {
    source: word(bytes, 16) >>> 0,
    destination: word(bytes, 20) >>> 0,
    sourcePort: port(bytes, 24),
    destinationPort: port(bytes, 26),
  };
}

function routeOf6(bytes: Uint8Array): Route {
  return {
    source: addressAt(bytes, 16),
    destination: addressAt(bytes, 32),
    sourcePort: port(bytes, 48),
    destinationPort: port(bytes, 50),
  };
}

/** An IPv6 address, or the IPv4 address that it stands for. */
function addressAt(bytes: Uint8Array, at: number): Address {
  const a = word(bytes, at);
  const b = word(bytes, at + 4);
  const c = word(bytes, at + 8);
  const d = word(bytes, at + 12);
  return a === 0 && b === 0 && c === 0xffff ? d >>> 0 : new IPv6(a, b, c, d, "");
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!;
}

function port(bytes: Uint8Array, at: number): number {
  return bytes[at]! << 8 | bytes[at + 1]!;
}

/** Checks that TLVs fill the rest of a header, and the checksum if there is one. */
function checkTlvs(bytes: Uint8Array, start: number, length: number): boolean {
  let checksum = 0;
  for (let at = start; at < length;) {
    if (at + TLV_HEADER > length) return false;
    const value = at + TLV_HEADER;
    const end = value + port(bytes, at + 1);
    if (end > length) return false;
    if (bytes[at] === CRC32C) {
      // A second one would have to be a checksum of the first, and that one of it.
      if (end - value !== 4 || checksum !== 0) return false;
      checksum = value;
    }
    at = end;
  }
  return checksum === 0 || crc32c(bytes.subarray(0, length), checksum) === word(bytes, checksum) >>> 0;
}
