import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { type Address, IPv6, parseAddress } from "../../src/core/address.ts";
import { cidrOf, prefixKey } from "../../src/core/client_key.ts";
import { type Cidr, formatCidr, parseCidr } from "../../src/core/cidr.ts";
import { PrefixMap } from "../../src/core/prefix_map.ts";

function table(rules: Record<string, number>): (address: string) => number | undefined {
  const networks = new PrefixMap(
    Object.entries(rules).map(([text, maxPerClient]) => [parseCidr(text)!, { maxPerClient }]),
  );
  return (address) => networks.find(parseAddress(address)!)?.maxPerClient;
}

test("PrefixMap.find() takes the rule of the longest prefix, whatever their order", () => {
  const find = table({ "10.1.0.0/16": 16, "10.0.0.0/8": 8, "10.1.2.3": 32, "0.0.0.0/0": 0, "10.1.2.0/24": 24 });
  assertEquals(["10.1.2.3", "10.1.2.4", "10.1.3.4", "10.2.3.4", "11.0.0.0"].map(find), [32, 24, 16, 8, 0]);
});

test("PrefixMap.find() matches at the edges of prefixes", () => {
  for (
    const [prefix, base, last, next] of [
      [0, "0.0.0.0", "255.255.255.255", undefined],
      [31, "192.0.2.6", "192.0.2.7", "192.0.2.8"],
      [32, "192.0.2.7", "192.0.2.7", "192.0.2.8"],
      [0, "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", undefined],
      [32, "2001:db8::", "2001:db8:ffff::", "2001:db9::"],
      [33, "2001:db8::", "2001:db8:7fff::", "2001:db8:8000::"],
      [63, "2001:db8::", "2001:db8:0:1:ffff::", "2001:db8:0:2::"],
      [64, "2001:db8::", "2001:db8::ffff:0:0:0", "2001:db8:0:1::"],
      [65, "2001:db8::", "2001:db8::7fff:0:0:0", "2001:db8::8000:0:0:0"],
      [127, "2001:db8::", "2001:db8::1", "2001:db8::2"],
      [128, "2001:db8::", "2001:db8::", "2001:db8::1"],
    ] as const
  ) {
    const find = table({ [`${base}/${prefix}`]: 7 });
    assertEquals([base, last].map(find), [7, 7], `${base}/${prefix}`);
    if (next !== undefined) assertStrictEquals(find(next), undefined, `${next} in ${base}/${prefix}`);
  }
});

test("PrefixMap.find() matches IPv4 rules to mapped addresses, and no IPv6 rule to IPv4", () => {
  const find = table({ "10.0.0.0/8": 4, "::/0": 6 });
  assertEquals(["10.1.2.3", "::ffff:10.1.2.3", "::ffff:a01:203", "2001:db8::1"].map(find), [4, 4, 4, 6]);
  assertStrictEquals(find("192.0.2.7"), undefined);
});

test("PrefixMap.find() matches link-local addresses whatever their zone", () => {
  assertEquals(["fe80::1", "fe80::1%eth0"].map(table({ "fe80::/10": 3 })), [3, 3]);
});

/** Few bits differ, and those at the ends of words, so that networks contain each other and lie side by side. */
const word = fc.constantFrom(0, 1, 0x7fff_ffff, -0x8000_0000, -2, -1);
const addresses: fc.Arbitrary<Address> = fc.oneof(
  word.map((bits) => bits >>> 0),
  fc.tuple(word, word, word, word).map((words) => new IPv6(...words, "")),
);
const networks: fc.Arbitrary<Cidr> = fc.tuple(addresses, fc.nat(128)).map(([address, bits]) => {
  const prefix = typeof address === "number" ? bits % 33 : bits;
  return cidrOf(prefixKey(address, prefix))!;
});

test("PrefixMap.find() finds what comparing with every rule does", () => {
  const rules = fc.uniqueArray(networks, { selector: formatCidr, maxLength: 40 });
  fc.assert(
    fc.property(rules, fc.array(addresses, { minLength: 1 }), (rules, addresses) => {
      const table = new PrefixMap(rules.map((network, index) => [network, { maxPerClient: index }]));
      const isIn = (address: Address, { prefix, address: base }: Cidr) =>
        typeof address === typeof base && prefixKey(address, prefix) === prefixKey(base, prefix);
      for (const address of [...addresses, ...rules.map(({ address }) => address)]) {
        const [longest] = rules.filter((rule) => isIn(address, rule)).sort((one, other) => other.prefix - one.prefix);
        const expected = longest && { maxPerClient: rules.indexOf(longest), prefix: longest.prefix };
        assertEquals(table.find(address), expected);
      }
    }),
    { numRuns: 2_000 },
  );
});
