import { isIP } from "node:net";
import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { formatAddress, parseAddress } from "../../src/core/address.ts";
import { Random } from "../../testing/random.ts";

/** The canonical text of what `text` parses to; `undefined` where it is no address. */
function canonical(text: string): string | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : formatAddress(address);
}

test("parseAddress() reads IPv4 addresses", () => {
  for (const text of ["0.0.0.0", "127.0.0.1", "192.0.2.7", "255.255.255.255", "1.20.3.100"]) {
    assertStrictEquals(canonical(text), text);
  }
  assertStrictEquals(parseAddress("192.0.2.7"), 0xc0000207);
});

test("parseAddress() reads IPv6 addresses and formatAddress() writes them as RFC 5952 says", () => {
  const cases = {
    "::": "::",
    "::1": "::1",
    "1::": "1::",
    "1:2:3:4:5:6:7::": "1:2:3:4:5:6:7:0",
    "::2:3:4:5:6:7:8": "0:2:3:4:5:6:7:8",
    "2001:DB8:0:0:1:0:0:1": "2001:db8::1:0:0:1",
    "2001:db8:0:1:1:1:1:1": "2001:db8:0:1:1:1:1:1",
    "2001:0db8:0000:0000:0000:0000:0000:0001": "2001:db8::1",
    "2001:db8::1.2.3.4": "2001:db8::102:304",
    "1:2:3:4:5:6:1.2.3.4": "1:2:3:4:5:6:102:304",
    "0:0:0:0:0:0:0:0": "::",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff": "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
  };
  for (const [text, expected] of Object.entries(cases)) assertStrictEquals(canonical(text), expected, text);
});

test("parseAddress() takes an IPv4-mapped address for its IPv4 address, in every notation", () => {
  for (
    const text of [
      "::ffff:192.0.2.7",
      "::FFFF:192.0.2.7",
      "::ffff:c000:207",
      "::FFFF:C000:0207",
      "0:0:0:0:0:ffff:192.0.2.7",
      "0000:0000:0000:0000:0000:FFFF:c000:0207",
    ]
  ) {
    assertStrictEquals(canonical(text), "192.0.2.7", text);
  }
});

test("parseAddress() does not take other embedded IPv4 addresses for IPv4", () => {
  for (const text of ["2001:db8::1.2.3.4", "::1.2.3.4", "64:ff9b::1.2.3.4", "::ffff:0:1.2.3.4", "1::ffff:1.2.3.4"]) {
    assertStrictEquals(typeof parseAddress(text), "object", text);
  }
});

test("parseAddress() keeps the zone of a link-local address and drops the others", () => {
  assertStrictEquals(canonical("fe80::1%eth0"), "fe80::1%eth0");
  assertStrictEquals(canonical("febf::1%12"), "febf::1%12");
  assertStrictEquals(canonical("fec0::1%eth0"), "fec0::1");
  assertStrictEquals(canonical("2001:db8::1%eth0"), "2001:db8::1");
  assertStrictEquals(canonical("::%eth0"), "::");
  assertStrictEquals(canonical("::ffff:192.0.2.7%eth0"), "192.0.2.7");
});

test("parseAddress() refuses what is not an address", () => {
  const long = "1".repeat(10_000);
  for (
    const text of [
      // Leading zeros, which some read as octal.
      ..."01.2.3.4 1.2.3.04 00.0.0.0 1.2.3.00 ::ffff:01.2.3.4 192.0.2.007".split(" "),
      ..."1.2.3 1.2.3.4.5 1..3.4 .1.2.3.4 1.2.3.4. 256.1.1.1 1.2.3.256 1.2.3.999 1e1.2.3.4 0x10.2.3.4 1".split(" "),
      ..."-1.2.3.4 +1.2.3.4 1,2.3.4 1.2.3.4/32 1.2.3.4:80 [1.2.3.4] localhost example.com unix".split(" "),
      ...": ::: 1: :1 1::2::3 1:2:3:4:5:6:7 1:2:3:4:5:6:7:8:9 1:2:3:4:5:6:7:8:: ::1:2:3:4:5:6:7:8".split(" "),
      ..."12345:: 1g:: ::g 1:::2 1.2.3.4:: ::1.2.3 ::1.2.3.4.5 ::1.2.3.4:5 1:2:3:4:5:6:7:1.2.3.4".split(" "),
      ..."1:2:3:4:5:6::1.2.3.4 [::1] [::1]:80 ::1/128 fe80::1% fe80::1%% %eth0 fe80::1%a/b".split(" "),
      ...["", " ", " 1.2.3.4", "1.2.3.4 ", "1.2.3.4\n", "::1\n", "::1 ", "1.2.3.4\0", "fe80::1%a b", "١.٢.٣.٤", "：："],
      ...[long, `${long}.1.1.1`, `::${long}`, `fe80::1%${long}`, `${"1:".repeat(5_000)}1`],
    ]
  ) {
    assertStrictEquals(parseAddress(text), undefined, JSON.stringify(text.slice(0, 50)));
  }
});

test("formatAddress() writes what parseAddress() reads back", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const address = parseAddress(text)!;
      assertEquals(parseAddress(formatAddress(address)), address);
    }),
    { numRuns: 20_000 },
  );
});

test("parseAddress() agrees with isIP() of node:net on 250,000 generated strings", () => {
  const runs = 250_000;
  let addresses = 0;
  const generate = generator(20261122);
  for (let run = 0; run < runs; run++) {
    const text = generate();
    const address = parseAddress(text);
    const family = isIP(text);
    const agreed = family === 0
      ? address === undefined
      // A mapped address is an IPv6 address in its notation and an IPv4 address in what it means.
      : family === 4
      ? typeof address === "number"
      : address !== undefined;
    if (!agreed) throw new Error(`${JSON.stringify(text)}: isIP() says ${family}, parseAddress() ${address}`);
    if (family !== 0) addresses++;
  }
  // A comparison in which nearly all the strings are of one kind would compare nothing.
  assertEquals(addresses > runs / 10 && addresses < runs * 9 / 10, true, `${addresses} of ${runs} were addresses`);
});

/** Makes strings that are addresses, nearly addresses, and noise from the same characters. No zone ids. */
function generator(seed: number): () => string {
  const random = new Random(seed);
  const below = (limit: number) => random.integer(0, limit - 1);
  const pick = <T>(values: readonly T[]): T => random.pick(values);
  const octet = () =>
    pick(["0", "1", "9", "10", "99", "100", "199", "249", "250", "255", "256", "00", "01", "300", ""]);
  const plainOctet = () => `${below(256)}`;
  const ipv4 = (part: () => string) => Array.from({ length: pick([4, 4, 4, 4, 4, 3, 5]) }, part).join(".");
  const group = () =>
    pick(["0", "1", "ab", "ABC", "ffff", "00", "0db8", "12345", "g", "", below(0x10000).toString(16)]);
  const plainGroup = () => below(0x10000).toString(16);
  const ipv6 = (part: () => string) => {
    const groups = Array.from({ length: pick([8, 8, 8, 7, 6, 5, 3, 2, 1, 9]) }, part);
    if (below(2) === 0) groups.splice(below(groups.length + 1), below(3), pick(["", "", ":"]));
    if (below(4) === 0) groups.splice(groups.length - pick([0, 1, 2]), 2, ipv4(below(3) === 0 ? octet : plainOctet));
    const text = groups.join(":");
    return below(4) === 0 ? pick([`::${text}`, `${text}::`, `:${text}`, `${text}:`, `::ffff:${text}`]) : text;
  };
  const noise = () => Array.from({ length: below(20) }, () => pick([..."0123456789abcdefABCF:.::.. g/[]x-"])).join("");
  const mutate = (text: string) => {
    const at = below(text.length + 1);
    return text.slice(0, at) + pick([..."0129af:.g ", ""]) + text.slice(at + below(2));
  };
  const kinds = [() => ipv4(octet), () => ipv4(plainOctet), () => ipv6(group), () => ipv6(plainGroup), noise];
  return () => {
    const text = pick(kinds)();
    return below(5) === 0 ? mutate(text) : text;
  };
}
