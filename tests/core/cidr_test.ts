import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { formatCidr, parseCidr } from "../../src/core/cidr.ts";

test("parseCidr() reads CIDR notation and bare addresses", () => {
  const cases = {
    "0.0.0.0/0": "0.0.0.0/0",
    "10.0.0.0/8": "10.0.0.0/8",
    "192.0.2.7/32": "192.0.2.7",
    "192.0.2.7": "192.0.2.7",
    "::/0": "::/0",
    "2001:DB8::/32": "2001:db8::/32",
    "::1/128": "::1",
    "::1": "::1",
    "::ffff:10.0.0.0/104": "10.0.0.0/8",
    "::ffff:0:0/96": "0.0.0.0/0",
    "::ffff:192.0.2.7": "192.0.2.7",
  };
  for (const [text, expected] of Object.entries(cases)) assertEquals(formatCidr(parseCidr(text)!), expected);
});

test("parseCidr() refuses what is no network", () => {
  for (
    const text of [
      ..."10.0.0.0/33 10.0.0.0/-1 10.0.0.0/08 10.0.0.0/ 10.0.0.0/8/8 10.0.0/8 /8 10.0.0.0/a 10.0.0.0/1e1".split(" "),
      ..."::/129 ::/-1 ::/064 ::ffff:10.0.0.0/95 ::ffff:10.0.0.0/129 010.0.0.0/8 localhost/8 * all".split(" "),
      ...["", "/", "10.0.0.0 /8", "10.0.0.0/8 ", "10.0.0.0/ 8"],
    ]
  ) {
    assertStrictEquals(parseCidr(text), undefined, JSON.stringify(text));
  }
});
