import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { acceptAll, refusedFor } from "../support/admissions.ts";
import { internalsOf } from "../../src/core/internals.ts";

test("an exempt network is counted and refused for nothing but its own bound", () => {
  const networks = { "10.0.0.0/8": { exempt: true, max: 3 } };
  const limiter = new Limiter({
    maxPerClient: 1,
    maxTotal: 2,
    fairShare: { floor: 1 },
    rate: { perSecond: 0.001, burst: 1, penalty: true },
    aggregates: [{ ipv4Prefix: 8, max: 1 }],
    networks,
  });
  const others = [limiter.accept("192.0.2.1"), limiter.accept("198.51.100.1")];
  assertStrictEquals(refusedFor(limiter, "203.0.113.1"), "total");
  const slots = [...acceptAll(limiter, "10.0.0.1", 2), ...acceptAll(limiter, "10.0.0.2", 1)];
  assertEquals([limiter.open, limiter.openFor("10.0.0.1"), limiter.stats().clients], [5, 2, 4]);
  // The bound is that of all its clients together, and a hole for none of them.
  for (const peer of ["10.0.0.1", "10.0.0.3"]) assertStrictEquals(refusedFor(limiter, peer), "aggregate");
  slots[0]!.release();
  slots[0]!.release();
  assertStrictEquals(refusedFor(limiter, "10.0.0.3"), undefined);
  // They take room from the others, so that maxTotal and their bound is the most that is ever open.
  others[0]!.release();
  assertStrictEquals(refusedFor(limiter, "203.0.113.1"), "total");
  // What they hold goes on counting under other limits, and comes back.
  limiter.setLimits({ networks: { "10.0.0.0/8": { exempt: true, max: 2 } } });
  assertStrictEquals(refusedFor(limiter, "10.0.0.3"), "aggregate");
  limiter.setLimits({ maxTotal: 3 });
  assertStrictEquals(refusedFor(limiter, "10.0.0.3"), "total");
  for (const slot of [...slots, ...others]) slot.release();
  limiter.setLimits({ networks });
  assertEquals([limiter.open, limiter.stats().clients, acceptAll(limiter, "10.0.0.3", 3).length], [0, 0, 3]);
  assertStrictEquals(refusedFor(limiter, "10.0.0.3"), "aggregate");
});

test("an exempt network has a bound of 100 by default, and a narrower rule in it is not exempt", () => {
  const limiter = new Limiter({
    networks: {
      "10.0.0.0/8": { exempt: true },
      "10.9.0.0/16": { maxPerClient: 1 },
      "10.8.0.0/16": { maxPerClient: 0 },
    },
  });
  acceptAll(limiter, "10.0.0.1", 100);
  assertStrictEquals(refusedFor(limiter, "10.0.0.1"), "aggregate");
  acceptAll(limiter, "10.9.0.1", 1);
  assertEquals([refusedFor(limiter, "10.9.0.1"), refusedFor(limiter, "10.8.0.1")], ["client", "blocked"]);
  assertEquals({ ...limiter.limits.networks["10.0.0.0/8"] }, { exempt: true, max: 100 });
});

test("a rule has a prefix length for the clients of its network", () => {
  const limiter = new Limiter({
    maxPerClient: 1,
    aggregates: [{ ipv6Prefix: 48, max: 3 }],
    networks: { "2001:db8:1::/48": { ipv6Prefix: 128 }, "2001:db8:2::/48": { ipv6Prefix: 56, maxPerClient: 2 } },
  });
  const pods = ["2001:db8:1::1", "2001:db8:1::2", "2001:db8:1::3"].map((pod) => limiter.accept(pod));
  assertEquals(pods.map(({ client }) => client), ["2001:db8:1::1", "2001:db8:1::2", "2001:db8:1::3"]);
  assertStrictEquals(refusedFor(limiter, "2001:db8:1::1"), "client");
  assertStrictEquals(refusedFor(limiter, "2001:db8:1::4"), "aggregate");
  acceptAll(limiter, "2001:db8:2:1::", 1);
  acceptAll(limiter, "2001:db8:2:2::", 1);
  assertStrictEquals(refusedFor(limiter, "2001:db8:2:3::"), "client");
  assertStrictEquals(limiter.openFor("2001:db8:2:ff::"), 2);
  assertStrictEquals(limiter.openFor("2001:db8:2::/56"), 2);
  acceptAll(limiter, "2001:db8:3::1", 1);
  assertStrictEquals(refusedFor(limiter, "2001:db8:3::2"), "client");
});

test("levelsOf() has what policies bound, without changing it", () => {
  const limiter = new Limiter({
    maxTotal: 80,
    fairShare: true,
    rate: { perSecond: 0.001, burst: 2 },
    aggregates: [{ ipv4Prefix: 24, max: 50, rate: { perSecond: 0.001, burst: 9 } }],
    networks: { "10.0.0.0/8": { exempt: true, max: 7 } },
  });
  const levels = (peer: string) =>
    internalsOf(limiter)!.levelsOf!(peer)!.map(({ level, name, open, max }) => [level, name, open, max]);
  limiter.accept("10.0.0.1");
  limiter.accept("192.0.2.7");
  for (let i = 0; i < 3; i++) {
    assertEquals(levels("192.0.2.7"), [
      ["client", "192.0.2.7", 1, 100],
      ["aggregate", "192.0.2.0/24", 1, 50],
      ["total", "", 2, 80],
      ["fair-share", "192.0.2.7", 1, 9],
      ["rate", "192.0.2.7", 1, 2],
      ["rate", "192.0.2.0/24", 1, 9],
    ]);
  }
  assertEquals(levels("10.0.0.1"), [
    ["client", "10.0.0.1", 1, Infinity],
    ["aggregate", "10.0.0.0/24", 1, Infinity],
    ["total", "", 2, Infinity],
    ["network", "10.0.0.0/8", 1, 7],
  ]);
});
