import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { parseAddress } from "../../src/core/address.ts";
import { cidrOf, type ClientKey, clientName, customKey, prefixKey, UNIX_CLIENT } from "../../src/core/client_key.ts";

function nameUnder(prefix: number, text: string): string {
  return clientName(prefixKey(parseAddress(text)!, prefix));
}

test("prefixKey() keeps the leading bits of an IPv4 address", () => {
  const cases: [number, string][] = [
    [0, "0.0.0.0/0"],
    [1, "128.0.0.0/1"],
    [8, "255.0.0.0/8"],
    [24, "255.255.255.0/24"],
    [31, "255.255.255.254/31"],
    [32, "255.255.255.255"],
  ];
  for (const [prefix, expected] of cases) assertStrictEquals(nameUnder(prefix, "255.255.255.255"), expected);
});

test("prefixKey() keeps the leading bits of an IPv6 address", () => {
  const cases: [number, string][] = [
    [0, "::/0"],
    [1, "8000::/1"],
    [31, "ffff:fffe::/31"],
    [32, "ffff:ffff::/32"],
    [33, "ffff:ffff:8000::/33"],
    [48, "ffff:ffff:ffff::/48"],
    [63, "ffff:ffff:ffff:fffe::/63"],
    [64, "ffff:ffff:ffff:ffff::/64"],
    [65, "ffff:ffff:ffff:ffff:8000::/65"],
    [127, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127"],
    [128, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ];
  const ones = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
  for (const [prefix, expected] of cases) assertStrictEquals(nameUnder(prefix, ones), expected);
});

test("prefixKey() puts two addresses under one key exactly where their leading bits are the same", () => {
  const family = fc.constantFrom<[bits: number, address: fc.Arbitrary<bigint>]>(
    [32, fc.bigInt(0n, (1n << 32n) - 1n)],
    [128, fc.bigInt(0n, (1n << 128n) - 1n)],
  );
  fc.assert(
    fc.property(
      family.chain(([bits, address]) =>
        fc.record({
          bits: fc.constant(bits),
          one: address,
          flip: fc.nat(bits - 1),
          prefix: fc.nat(bits),
        })
      ),
      ({ bits, one, flip, prefix }) => {
        const other = one ^ 1n << BigInt(bits - 1 - flip);
        // The mapped range is IPv4, for which an IPv6 prefix means something else.
        fc.pre(bits === 32 || one >> 32n !== 0xffffn && other >> 32n !== 0xffffn);
        const [key, otherKey] = [one, other].map((value) => prefixKey(parseAddress(text(value, bits))!, prefix));
        assertEquals(key === otherKey, flip >= prefix);
      },
    ),
    { numRuns: 20_000 },
  );
});

function text(value: bigint, bits: number): string {
  const [count, size] = bits === 32 ? [4, 8] : [8, 16];
  const part = (index: number) => Number(value >> BigInt(size * (count - 1 - index)) & BigInt(2 ** size - 1));
  const parts = Array.from({ length: count }, (_, index) => part(index));
  return bits === 32 ? parts.join(".") : parts.map((part) => part.toString(16)).join(":");
}

test("prefixKey() gives the same bits under two prefixes two keys", () => {
  const keys = new Set<ClientKey>();
  for (const address of ["0.0.0.0", "::"]) {
    const bits = address === "::" ? 128 : 32;
    for (let prefix = 0; prefix <= bits; prefix++) keys.add(prefixKey(parseAddress(address)!, prefix));
  }
  assertEquals(keys.size, 33 + 129);
});

test("prefixKey() keeps a zone only within link-local networks", () => {
  assertStrictEquals(nameUnder(64, "fe80::1%eth0"), "fe80::%eth0/64");
  assertStrictEquals(nameUnder(10, "fe80::1%eth0"), "fe80::%eth0/10");
  assertStrictEquals(nameUnder(9, "fe80::1%eth0"), "fe80::/9");
  assertStrictEquals(nameUnder(0, "fe80::1%eth0"), "::/0");
});

test("cidrOf() finds the network in its key", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant("fe80::1%eth0")), fc.nat(128), (text, length) => {
      const address = parseAddress(text)!;
      const prefix = typeof address === "number" ? Math.min(length, 32) : length;
      const network = cidrOf(prefixKey(address, prefix))!;
      assertEquals(network.prefix, prefix);
      assertEquals(prefixKey(network.address, prefix), prefixKey(address, prefix));
    }),
    { numRuns: 20_000 },
  );
});

test("clientName() names clients that are not addresses, whose keys never meet", () => {
  assertStrictEquals(clientName(UNIX_CLIENT), "unix");
  assertStrictEquals(clientName(customKey("alice")), "alice");
  assertStrictEquals(cidrOf(UNIX_CLIENT), undefined);
  assertStrictEquals(cidrOf(customKey("alice")), undefined);
  for (const name of ["unix", "192.0.2.7", "\uffffunix", "@"]) {
    assertEquals(clientName(customKey(name)), name);
    assertEquals(customKey(name) === UNIX_CLIENT, false);
  }
});
