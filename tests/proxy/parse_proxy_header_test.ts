import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { bytes, concat, encode, type Form, FORMS, v2 } from "../support/proxy/headers.ts";
import { assertAgrees, MAX_HEADER, parse, plain, readExactly } from "../support/proxy/parsed.ts";

const PAYLOAD = bytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");

function check({ header, client }: Form, stream: Uint8Array): void {
  const parsed = parse(stream);
  assert(typeof parsed === "object", `${parsed}`);
  assertEquals([parsed.length, parsed.source], [header.length, client]);
  assertStrictEquals(parsed.destination === undefined, client === undefined);
}

for (const [name, form] of Object.entries(FORMS)) {
  const { header } = form;

  test(`parseProxyHeader() finds the client, alone and ahead of other bytes (${name})`, () => {
    assert(header.length <= MAX_HEADER);
    check(form, header);
    check(form, concat(header, PAYLOAD));
    check(form, concat(header, header));
    check(form, concat(header, new Uint8Array(70_000)));
  });

  test(`parseProxyHeader() asks for more of a header that is cut, and never for more than that has (${name})`, () => {
    for (let known = 0; known < header.length; known++) {
      const missing = parse(header.subarray(0, known));
      assert(typeof missing === "number" && missing >= 1, `${missing} after ${known} bytes`);
      assert(known + missing <= header.length, `${missing} after ${known} of ${header.length} bytes`);
    }
  });

  test(`parseProxyHeader() lets nothing be read behind the header (${name})`, () => {
    const { parsed, read, reads } = readExactly(concat(header, PAYLOAD));
    assertEquals([read, plain(parsed)], [header.length, plain(parse(header))]);
    assert(reads <= (name.startsWith("v2") ? 3 : 49), `${reads} reads`);
  });

  test(`parseProxyHeader() sees a header with any byte changed as another parser does (${name})`, () => {
    const length = Math.min(header.length, 300);
    const changed = header.slice();
    for (let at = 0; at < length; at++) {
      // Every value where it is part of the format; some where it is one of many bytes of a value.
      const step = at < 60 && header.length < 1_000 ? 1 : 17;
      for (let change = 1; change < 256; change += step) {
        changed[at] = header[at]! ^ change;
        assertAgrees(changed);
      }
      changed[at] = header[at]!;
    }
  });
}

const INVALID: Readonly<Record<string, string | Uint8Array>> = {
  "other words": "GET / HTTP/1.1\r\n",
  "another case": "proxy TCP4 192.0.2.7 10.0.0.1 50000 443\r\n",
  "another protocol": "PROXY UDP4 192.0.2.7 10.0.0.1 50000 443\r\n",
  "another family": "PROXY TCP5 192.0.2.7 10.0.0.1 50000 443\r\n",
  "no fields": "PROXY TCP4    \r\n",
  "too few fields": "PROXY TCP4 192.0.2.7 10.0.0.1 50000\r\n",
  "too many fields": "PROXY TCP4 192.0.2.7 10.0.0.1 50000 443 1\r\n",
  "an empty port": "PROXY TCP4 192.0.2.7 10.0.0.1 50000 \r\n",
  "two spaces": "PROXY TCP4  192.0.2.7 10.0.0.1 50000 443\r\n",
  "two spaces in the middle": "PROXY TCP4 192.0.2.7 10.0.0.1  50000 443\r\n",
  "a space at the end": "PROXY TCP4 192.0.2.7 10.0.0.1 50000 443 \r\n",
  "a tab": "PROXY TCP4 192.0.2.7 10.0.0.1 50000\t443\r\n",
  "an LF alone": "PROXY TCP4 192.0.2.7 10.0.0.1 50000 443\n",
  "a CR alone": "PROXY TCP4 192.0.2.7 10.0.0.1 50000 443\rGET",
  "a CR in the middle": "PROXY TCP4 192.0.2.7 10.0.0.1\r 50000 443\r\n",
  "an LF alone in UNKNOWN": "PROXY UNKNOWN what\never\r\n",
  "a CR alone in UNKNOWN": "PROXY UNKNOWN what\rever\r\n",
  "UNKNOWN with more letters": "PROXY UNKNOWNS\r\n",
  "107 bytes without CRLF": `PROXY UNKNOWN ${"x".repeat(93)}`,
  "107 bytes without CRLF, of TCP6": `PROXY TCP6 ${"f".repeat(96)}`,
  "a CRLF behind 107 bytes": `PROXY UNKNOWN ${"x".repeat(92)}\r\n`,
  "leading zeros": "PROXY TCP4 192.0.2.07 10.0.0.1 50000 443\r\n",
  "leading zeros in all of it": "PROXY TCP4 01.02.03.04 10.0.0.1 50000 443\r\n",
  "leading zeros in a port": "PROXY TCP4 192.0.2.7 10.0.0.1 050000 443\r\n",
  "a port of zeros": "PROXY TCP4 192.0.2.7 10.0.0.1 00 443\r\n",
  "a port above 65,535": "PROXY TCP4 192.0.2.7 10.0.0.1 65536 443\r\n",
  "a port of six digits": "PROXY TCP4 192.0.2.7 10.0.0.1 500000 443\r\n",
  "a negative port": "PROXY TCP4 192.0.2.7 10.0.0.1 -1 443\r\n",
  "a port in hex": "PROXY TCP4 192.0.2.7 10.0.0.1 0xff 443\r\n",
  "an octet above 255": "PROXY TCP4 192.0.2.256 10.0.0.1 50000 443\r\n",
  "three octets": "PROXY TCP4 192.0.2 10.0.0.1 50000 443\r\n",
  "five octets": "PROXY TCP4 192.0.2.7.1 10.0.0.1 50000 443\r\n",
  "IPv6 in TCP4": "PROXY TCP4 2001:db8::7 fd00::1 50000 443\r\n",
  "IPv4 in TCP6": "PROXY TCP6 192.0.2.7 10.0.0.1 50000 443\r\n",
  "two gaps": "PROXY TCP6 2001::db8::7 fd00::1 50000 443\r\n",
  "nine groups": "PROXY TCP6 1:2:3:4:5:6:7:8:9 fd00::1 50000 443\r\n",
  "a zone id": "PROXY TCP6 fe80::1%eth0 fd00::1 50000 443\r\n",
  "brackets": "PROXY TCP6 [2001:db8::7] [fd00::1] 50000 443\r\n",
  "octal in a mapped address": "PROXY TCP6 ::ffff:0177.0.0.1 fd00::1 50000 443\r\n",
  "version 1 in version 2": v2(0x11, 0x11),
  "version 3": v2(0x31, 0x11, new Uint8Array(12)),
  "another command": v2(0x22, 0x11, new Uint8Array(12)),
  "another family in version 2": v2(0x21, 0x41, new Uint8Array(216)),
  "another transport": v2(0x21, 0x13, new Uint8Array(216)),
  "TCP of no family": v2(0x21, 0x01, new Uint8Array(216)),
  "IPv4 by no transport": v2(0x21, 0x10, new Uint8Array(216)),
  "a block of IPv4 that is too short": v2(0x21, 0x11, new Uint8Array(11)),
  "a block of IPv6 that is too short": v2(0x21, 0x21, new Uint8Array(35)),
  "a block of UNIX that is too short": v2(0x21, 0x31, new Uint8Array(215)),
  "a block of UDP that is too short": v2(0x21, 0x12, new Uint8Array(11)),
  "no block": v2(0x21, 0x11),
  "a byte behind the block": v2(0x21, 0x11, new Uint8Array(13)),
  "two bytes behind the block": v2(0x21, 0x11, new Uint8Array(14)),
  "a byte behind UNSPEC": v2(0x21, 0x00, [4]),
  "a TLV that overruns": v2(0x21, 0x11, new Uint8Array(12), [0x04, 0, 2, 0]),
  "a TLV that overruns behind another": v2(0x21, 0x11, new Uint8Array(12), [0x04, 0, 0, 0xff, 0xff, 0xff]),
  "a checksum of three bytes": v2(0x21, 0x11, new Uint8Array(12), encode([[3, new Uint8Array(3)]])),
  "a checksum of five bytes": v2(0x21, 0x11, new Uint8Array(12), encode([[3, new Uint8Array(5)]])),
  "a checksum that is wrong": v2(0x21, 0x11, new Uint8Array(12), encode([[3, new Uint8Array(4)]])),
  "a header that is one byte too long": v2(0x21, 0x11, new Uint8Array(12), encode([[4, new Uint8Array(4_066)]])),
  "a header of 65,551 bytes": v2(0x21, 0x11, new Uint8Array(12), encode([[4, new Uint8Array(65_520)]])),
};

for (const [name, header] of Object.entries(INVALID)) {
  test(`parseProxyHeader() rejects ${name}, whole, in pieces and ahead of other bytes`, () => {
    const stream = typeof header === "string" ? bytes(header) : header;
    assertStrictEquals(parse(stream), undefined);
    assertStrictEquals(parse(concat(stream, PAYLOAD)), undefined);
    let last: unknown;
    for (let known = 0; known <= stream.length && last !== undefined || known === 0; known++) {
      last = parse(stream.subarray(0, known));
      assert(typeof last !== "object", `valid after ${known} bytes`);
    }
    assertStrictEquals(last, undefined);
    assertStrictEquals(readExactly(concat(stream, PAYLOAD)).parsed, undefined);
  });
}

test("parseProxyHeader() takes a header of any length up to that which it is told", () => {
  const longest = v2(0x21, 0x11, new Uint8Array(12), encode([[4, new Uint8Array(65_520)]]));
  assertStrictEquals(longest.length, 65_551);
  assertStrictEquals((parse(longest, 65_551) as { length: number }).length, 65_551);
  assertStrictEquals(parse(longest, 65_550), undefined);
  // It is turned away before it has come.
  assertStrictEquals(parse(longest.subarray(0, 16), 65_550), undefined);
  assertStrictEquals(parse(longest.subarray(0, 15)), undefined);
});

test("parseProxyHeader() rejects what no header begins with at the first byte", () => {
  for (let byte = 0; byte < 256; byte++) {
    const parsed = parse(Uint8Array.of(byte));
    assertStrictEquals(parsed, byte === 0x50 || byte === 0x0d ? 14 : undefined);
  }
});
