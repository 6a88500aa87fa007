/**
 * Headers of the PROXY protocol for tests.
 *
 * @module
 */

import { crc32c } from "../../../src/proxy/crc32c.ts";

/** A TLV: its type and its value. */
export type Tlv = readonly [type: number, value: Uint8Array];

const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];

/** The bytes of a text of which each character is a byte. */
export function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Several arrays of bytes in a row. */
export function concat(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** TLVs as bytes. */
export function encode(tlvs: readonly Tlv[]): Uint8Array {
  return concat(...tlvs.flatMap(([type, value]) => [[type, value.length >> 8, value.length & 255], value]));
}

/** A header of version 2. */
export function v2(command: number, family: number, ...block: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const body = concat(...block);
  return concat(SIGNATURE, [command, family, body.length >> 8, body.length & 255], body);
}

/** The same, with a checksum at the end. */
export function v2WithCrc(
  command: number,
  family: number,
  ...block: readonly (Uint8Array | readonly number[])[]
): Uint8Array {
  const header = v2(command, family, ...block, encode([[0x03, new Uint8Array(4)]]));
  new DataView(header.buffer).setUint32(header.length - 4, crc32c(header));
  return header;
}

/** Addresses and ports of IPv4: 192.0.2.7 port 50000, to 10.0.0.1 port 443. */
export const BLOCK4: Uint8Array = concat([192, 0, 2, 7, 10, 0, 0, 1, 0xc3, 0x50, 1, 0xbb]);

/** The same of IPv6: 2001:db8::7 to fd00::1. */
export const BLOCK6: Uint8Array = concat(
  [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7],
  [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  [0xc3, 0x50, 1, 0xbb],
);

/** The paths of two Unix sockets. */
export const BLOCK_UNIX: Uint8Array = new Uint8Array(216).fill(0x61, 1, 20).fill(0x62, 109, 130);

/** TLVs of each kind, with TLS between client and proxy. */
export const TLVS: readonly Tlv[] = [
  [0x01, bytes("h2")],
  [0x02, bytes("shop.example")],
  [0x04, bytes("")],
  [0x05, bytes("a unique id")],
  [0x20, concat([0x07, 0, 0, 0, 0], encode([[0x21, bytes("TLSv1.3")], [0x22, bytes("somebody")]]))],
  [0xea, bytes("\x01vpce-08d2bf15fac5001c9")],
  [0xee, concat([1, 0x78, 0x56, 0x34, 0x12])],
  [0xe0, concat([0, 0, 0, 0, 0, 1, 0xe2, 0x40])],
  [0xff, bytes("of nobody")],
];

const CLIENT4 = { address: "192.0.2.7", port: 50_000 };
const CLIENT6 = { address: "2001:db8::7", port: 50_000 };

/** A valid header, and the client in it if it has one with an IP address. */
export interface Form {
  readonly header: Uint8Array;
  readonly client?: { readonly address: string; readonly port: number };
}

/** Every valid form, with those that are as long and as short as can be. */
export const FORMS: Readonly<Record<string, Form>> = {
  "v1, TCP4": { header: bytes("PROXY TCP4 192.0.2.7 10.0.0.1 50000 443\r\n"), client: CLIENT4 },
  "v1, TCP4, shortest": {
    header: bytes("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"),
    client: { address: "0.0.0.0", port: 0 },
  },
  "v1, TCP4, longest": {
    header: bytes("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
    client: { address: "255.255.255.255", port: 65_535 },
  },
  "v1, TCP6": { header: bytes("PROXY TCP6 2001:db8::7 fd00::1 50000 443\r\n"), client: CLIENT6 },
  "v1, TCP6, shortest": { header: bytes("PROXY TCP6 :: :: 0 0\r\n"), client: { address: "::", port: 0 } },
  "v1, TCP6, longest": {
    header: bytes(
      `PROXY TCP6 ${"ffff:".repeat(7)}ffff ${"ffff:".repeat(7)}ffff 65535 65535\r\n`,
    ),
    client: { address: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", port: 65_535 },
  },
  "v1, TCP6, a gap at the end": {
    header: bytes("PROXY TCP6 2001:db8:0:7:: 1:: 1 2\r\n"),
    client: {
      address: "2001:db8:0:7::",
      port: 1,
    },
  },
  "v1, TCP6, without a gap": {
    header: bytes("PROXY TCP6 2001:DB8:0:0:0:0:0:7 1:2:3:4:5:6:7:8 50000 443\r\n"),
    client: CLIENT6,
  },
  "v1, TCP6, IPv4-mapped": {
    header: bytes("PROXY TCP6 ::ffff:192.0.2.7 ::ffff:10.0.0.1 50000 443\r\n"),
    client: CLIENT4,
  },
  "v1, TCP6, IPv4-mapped in full": {
    header: bytes("PROXY TCP6 0:0:0:0:0:ffff:192.0.2.7 0:0:0:0:0:FFFF:a00:1 50000 443\r\n"),
    client: CLIENT4,
  },
  "v1, UNKNOWN, shortest": { header: bytes("PROXY UNKNOWN\r\n") },
  "v1, UNKNOWN with addresses": { header: bytes("PROXY UNKNOWN 192.0.2.7 10.0.0.1 50000 443\r\n") },
  "v1, UNKNOWN, longest": { header: bytes(`PROXY UNKNOWN ${"x".repeat(91)}\r\n`) },
  "v2, LOCAL": { header: v2(0x20, 0) },
  "v2, LOCAL with a block": { header: v2(0x20, 0x11, BLOCK4) },
  "v2, LOCAL with what is no block": { header: v2(0x20, 0xff, bytes("anything")) },
  "v2, UNSPEC": { header: v2(0x21, 0) },
  "v2, UNSPEC with TLVs": { header: v2WithCrc(0x21, 0, encode(TLVS)) },
  "v2, TCP4": { header: v2(0x21, 0x11, BLOCK4), client: CLIENT4 },
  "v2, TCP4 with TLVs": { header: v2(0x21, 0x11, BLOCK4, encode(TLVS)), client: CLIENT4 },
  "v2, TCP4 with a checksum": { header: v2WithCrc(0x21, 0x11, BLOCK4), client: CLIENT4 },
  "v2, TCP4 with TLVs and a checksum": { header: v2WithCrc(0x21, 0x11, BLOCK4, encode(TLVS)), client: CLIENT4 },
  "v2, TCP6": { header: v2(0x21, 0x21, BLOCK6), client: CLIENT6 },
  "v2, TCP6 with TLVs and a checksum": { header: v2WithCrc(0x21, 0x21, BLOCK6, encode(TLVS)), client: CLIENT6 },
  "v2, TCP6, IPv4-mapped": {
    header: v2(0x21, 0x21, concat(new Uint8Array(10), [255, 255, 192, 0, 2, 7], BLOCK6.subarray(16))),
    client: CLIENT4,
  },
  "v2, UNIX": { header: v2(0x21, 0x31, BLOCK_UNIX) },
  "v2, UNIX with a checksum": { header: v2WithCrc(0x21, 0x31, BLOCK_UNIX) },
  "v2, UDP4": { header: v2(0x21, 0x12, BLOCK4) },
  "v2, UDP6": { header: v2(0x21, 0x22, BLOCK6) },
  "v2, UNIX datagrams": { header: v2(0x21, 0x32, BLOCK_UNIX) },
  "v2, the longest that is taken": {
    header: v2(0x21, 0x11, BLOCK4, encode([[0xff, new Uint8Array(4_096 - 16 - 12 - 3)]])),
    client: CLIENT4,
  },
};
