/**
 * Which addresses are one client: by prefixes, and by rules for networks.
 *
 * @module
 */

import { test } from "node:test";
import { assertStrictEquals } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { acceptAll, refusedFor } from "../support/admissions.ts";

test("Limiter counts an IPv6 /64 and an IPv4-mapped address as one client each", () => {
  const limiter = new Limiter({ maxPerClient: 2 });
  acceptAll(limiter, "2001:db8::1", 1);
  acceptAll(limiter, "2001:DB8:0:0:ffff::2", 1);
  assertStrictEquals(refusedFor(limiter, "2001:db8::3"), "client");
  assertStrictEquals(refusedFor(limiter, "2001:db8:0:1::3"), undefined);
  acceptAll(limiter, "::ffff:192.0.2.7", 1);
  acceptAll(limiter, "192.0.2.7", 1);
  assertStrictEquals(refusedFor(limiter, "::FFFF:c000:0207"), "client");
  assertStrictEquals(limiter.openFor("192.0.2.7"), 2);
});

test("Limiter tells all of IPv4 apart, also where IPv6 clients are wide (CVE-2026-30827 elsewhere)", () => {
  const limiter = new Limiter({ maxPerClient: 1, ipv6Prefix: 56 });
  acceptAll(limiter, "::ffff:192.0.2.7", 1);
  assertStrictEquals(refusedFor(limiter, "::ffff:198.51.100.7"), undefined);
});

test("Limiter counts clients by the prefixes it is given", () => {
  const limiter = new Limiter({ maxPerClient: 1, ipv4Prefix: 24, ipv6Prefix: 48 });
  assertStrictEquals(acceptAll(limiter, "192.0.2.7", 1)[0]!.client, "192.0.2.0/24");
  assertStrictEquals(refusedFor(limiter, "192.0.2.8"), "client");
  assertStrictEquals(refusedFor(limiter, "192.0.3.8"), undefined);
  assertStrictEquals(acceptAll(limiter, "2001:db8:1:2::3", 1)[0]!.client, "2001:db8:1::/48");
  assertStrictEquals(refusedFor(limiter, "2001:db8:1:ffff::"), "client");
});

test("Limiter takes the rule of the longest network", () => {
  const limiter = new Limiter({
    maxPerClient: 1,
    networks: {
      "10.0.0.0/8": { maxPerClient: Infinity },
      "10.1.0.0/16": { maxPerClient: 2 },
      "10.1.2.3": { maxPerClient: 0 },
    },
  });
  acceptAll(limiter, "10.9.9.9", 50);
  acceptAll(limiter, "10.1.9.9", 2);
  assertStrictEquals(refusedFor(limiter, "10.1.9.9"), "client");
  assertStrictEquals(refusedFor(limiter, "10.1.2.3"), "blocked");
  assertStrictEquals(refusedFor(limiter, "::ffff:10.1.2.3"), "blocked");
  assertStrictEquals(limiter.openFor("10.9.9.9"), 50);
  acceptAll(limiter, "192.0.2.7", 1);
  assertStrictEquals(refusedFor(limiter, "192.0.2.7"), "client");
});

test("Limiter makes the addresses of a rule that is narrower than a client a client of their own", () => {
  const limiter = new Limiter({ maxPerClient: 1, networks: { "2001:db8::5": { maxPerClient: 3 } } });
  acceptAll(limiter, "2001:db8::1", 1);
  assertStrictEquals(refusedFor(limiter, "2001:db8::2"), "client");
  assertStrictEquals(acceptAll(limiter, "2001:db8::5", 3)[0]!.client, "2001:db8::5");
  assertStrictEquals(refusedFor(limiter, "2001:db8::5"), "client");
  assertStrictEquals(limiter.openFor("2001:db8::1"), 1);
  assertStrictEquals(limiter.openFor("2001:db8::5"), 3);
});
