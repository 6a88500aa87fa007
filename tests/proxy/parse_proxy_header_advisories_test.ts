/**
 * What went wrong in other parsers of the PROXY protocol, by the name under which it is known.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { ProxyHeader } from "../../src/proxy/proxy_protocol_header.ts";
import { BLOCK4, bytes, concat, encode, type Tlv, v2, v2WithCrc } from "../support/proxy/headers.ts";
import { parse } from "../support/proxy/parsed.ts";

function valid(header: Uint8Array, maxHeader?: number): ProxyHeader {
  const parsed = parse(header, maxHeader);
  assert(typeof parsed === "object", `${parsed}`);
  return parsed;
}

test("CVE-2021-23351 (go-proxyproto): a line without an end is turned away after 107 bytes", () => {
  const line = bytes(`PROXY UNKNOWN ${"x".repeat(1 << 20)}`);
  assertStrictEquals(parse(line), undefined);
  assertStrictEquals(parse(line.subarray(0, 107)), undefined);
  for (let known = 15; known < 106; known++) assert((parse(line.subarray(0, known)) as number) + known <= 107);
});

test("CVE-2019-14243 (mastercactapus/proxyprotocol), CVE-2019-10097 (mod_remoteip): no length makes it read past the block", () => {
  for (const [family, size] of [[0x11, 12], [0x12, 12], [0x21, 36], [0x22, 36], [0x31, 216], [0x32, 216]] as const) {
    for (let length = 0; length < size; length++) {
      assertStrictEquals(parse(v2(0x21, family, new Uint8Array(length))), undefined);
      assertStrictEquals(parse(concat(v2(0x21, family, new Uint8Array(length)), new Uint8Array(300))), undefined);
    }
  }
  for (const family of [0x00, 0x11, 0x21, 0x31, 0xff]) {
    for (let length = 0; length < 40; length++) {
      const { command, source } = valid(v2(0x20, family, new Uint8Array(length)));
      assertEquals([command, source], ["LOCAL", undefined]);
    }
  }
});

test("CVE-2022-41881, GHSA-h2qv-fj59-j46j (Netty): TLS in TLS to any depth is bytes until somebody asks", () => {
  const depth = 8_000;
  const innermost: Tlv = [0x20, concat([1, 0, 0, 0, 0], encode([[0x21, bytes("TLSv1.3")]]))];
  // Each level has a type, a length, and five bytes of its own.
  const levels = Array.from({ length: depth }, (_, level) => {
    const length = 5 + 8 * (depth - level - 1) + 3 + innermost[1].length;
    return [0x20, length >> 8, length & 255, 1, 0, 0, 0, 0];
  });
  const tlvs = concat(levels.flat(), encode([innermost]));
  let { ssl } = valid(v2WithCrc(0x21, 0x11, BLOCK4, tlvs), 65_551).tlvs;
  for (let level = 1; level < 10; level++) ssl = ssl!.tlvs.ssl;
  assertEquals([ssl!.tls, ssl!.version, [...ssl!.tlvs].length], [true, undefined, 1]);
});

test("CVE-2024-23327 (Envoy): LOCAL is a header without a client, whatever it contains", () => {
  for (const block of [new Uint8Array(0), BLOCK4, new Uint8Array(1), bytes("anything at all")]) {
    const { command, source, destination, tlvs } = valid(v2(0x20, 0x11, block));
    assertEquals([command, source, destination, [...tlvs]], ["LOCAL", undefined, undefined, []]);
  }
});

test("CVE-2024-23325 (Envoy): an address family without support is a header without a client", () => {
  assertStrictEquals(valid(v2(0x21, 0x31, new Uint8Array(216))).source, undefined);
  assertStrictEquals(valid(v2(0x21, 0x22, new Uint8Array(36))).source, undefined);
});

test("CVE-2024-23324 (Envoy): a TLV that is not UTF-8 stays the bytes that it is", () => {
  const value = concat([0xff, 0xfe], bytes("trusted.example"), [0xc3]);
  const { tlvs } = valid(v2(0x21, 0x11, BLOCK4, encode([[0x02, value], [0x01, value]])));
  assertEquals([tlvs.authority, tlvs.alpn], [undefined, undefined]);
  assertEquals([tlvs.get(0x02), tlvs.get(0x01)], [value, value]);
});

test("Sozu #1334: the address in a forged LOCAL is nobody's", () => {
  const forged = v2(0x20, 0x11, [203, 0, 113, 9], BLOCK4.subarray(4));
  assertEquals([valid(forged).source, valid(forged).destination], [undefined, undefined]);
});

test("go-proxyproto, 0x13: a transport that does not exist is turned away", () => {
  for (let family = 0; family < 256; family++) {
    const expected = [0x00, 0x11, 0x12, 0x21, 0x22, 0x31, 0x32].includes(family);
    // Zeros behind the addresses are TLVs of the type 0.
    const parsed = parse(v2(0x21, family, new Uint8Array(216)));
    assertStrictEquals(parsed !== undefined, expected, `0x${family.toString(16)}`);
  }
});

test("GHSA-xpcf-pg52-r92g (Hono): an IPv4-mapped address is the IPv4 address", () => {
  const text = valid(bytes("PROXY TCP6 ::FFFF:c000:0207 ::1 1 2\r\n"));
  const binary = valid(v2(0x21, 0x21, concat(new Uint8Array(10), [255, 255, 192, 0, 2, 7], new Uint8Array(20))));
  assertEquals([text.source!.address, binary.source!.address], ["192.0.2.7", "192.0.2.7"]);
});

test("ipaddr.js #213, CVE-2026-69192 (ip-address): leading zeros are turned away everywhere", () => {
  for (const address of ["::ffff:0177.0.0.1", "::ffff:127.0.0.01", "::01.2.3.4"]) {
    assertStrictEquals(parse(bytes(`PROXY TCP6 ${address} ::1 1 2\r\n`)), undefined);
  }
  for (const address of ["0177.0.0.1", "127.0.0.01", "00.0.0.0"]) {
    assertStrictEquals(parse(bytes(`PROXY TCP4 ${address} 10.0.0.1 1 2\r\n`)), undefined);
  }
});

test("Envoy #42075: the same TLV may come twice", () => {
  const { tlvs } = valid(v2WithCrc(0x21, 0x11, BLOCK4, encode([[0x02, bytes("first")], [0x02, bytes("second")]])));
  assertEquals([tlvs.authority, tlvs.getAll(0x02).length], ["first", 2]);
});
