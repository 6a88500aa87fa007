import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter, type LimitsOptions } from "@connlimit/connlimit";
import { acceptAll, refusedFor } from "../support/admissions.ts";

test("Limiter.setLimits() replaces the limits as a whole", () => {
  const limiter = new Limiter({ maxPerClient: 1, maxTotal: 1 });
  limiter.setLimits({ maxPerClient: 2 });
  acceptAll(limiter, "192.0.2.7", 2);
  assertStrictEquals(limiter.limits.maxTotal, Infinity);
});

test("Limiter.setLimits() with a lower limit closes nobody and refuses until below it", () => {
  const limiter = new Limiter({ maxPerClient: 3 });
  const slots = acceptAll(limiter, "192.0.2.7", 3);
  limiter.setLimits({ maxPerClient: 2 });
  assertStrictEquals(limiter.open, 3);
  for (const expected of ["client", "client", undefined]) {
    assertStrictEquals(refusedFor(limiter, "192.0.2.7"), expected);
    slots.pop()!.release();
  }
});

test("Limiter.setLimits() with a higher limit admits at once", () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  acceptAll(limiter, "192.0.2.7", 1);
  assertStrictEquals(refusedFor(limiter, "192.0.2.7"), "client");
  limiter.setLimits({ maxPerClient: 2 });
  assertStrictEquals(refusedFor(limiter, "192.0.2.7"), undefined);
});

test("Limiter.setLimits() with other prefixes while connections are open still frees every slot", () => {
  const limiter = new Limiter({ maxPerClient: Infinity });
  const prefixes: LimitsOptions[] = [
    { ipv4Prefix: 32, ipv6Prefix: 64 },
    { ipv4Prefix: 24, ipv6Prefix: 48, aggregates: [{ ipv4Prefix: 16, max: Infinity }] },
    { ipv4Prefix: 0, ipv6Prefix: 0 },
    { ipv4Prefix: 32, ipv6Prefix: 128, aggregates: [{ ipv4Prefix: 24, ipv6Prefix: 64, max: Infinity }] },
    { networks: { "192.0.2.0/25": { maxPerClient: Infinity }, "2001:db8::1": { maxPerClient: Infinity } } },
  ];
  const slots = prefixes.flatMap((options) => {
    limiter.setLimits({ maxPerClient: Infinity, ...options });
    return ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"].map((peer) => limiter.accept(peer));
  });
  assertStrictEquals([...limiter.clients()].reduce((sum, { open }) => sum + open, 0), slots.length);
  for (const slot of slots) slot.release();
  assertStrictEquals(limiter.open, 0);
  assertEquals([...limiter.clients()], []);
});

test("Limiter.setLimits() keeps open connections under the client that they were admitted as", () => {
  const limiter = new Limiter({ maxPerClient: 2, ipv4Prefix: 24 });
  const [slot] = acceptAll(limiter, "192.0.2.7", 2);
  limiter.setLimits({ maxPerClient: 2 });
  assertEquals([...limiter.clients()], [{ client: "192.0.2.0/24", open: 2 }]);
  assertStrictEquals(limiter.openFor(slot!.client), 2);
  assertStrictEquals(refusedFor(limiter, "192.0.2.7"), undefined);
});

test("Limiter.setLimits() counts open connections in aggregates that are new", () => {
  const limiter = new Limiter();
  const slots = acceptAll(limiter, "192.0.2.7", 3);
  acceptAll(limiter, { key: "alice" }, 3);
  limiter.setLimits({ aggregates: [{ ipv4Prefix: 24, max: 4 }] });
  slots.push(...acceptAll(limiter, "192.0.2.8", 1));
  assertStrictEquals(refusedFor(limiter, "192.0.2.9"), "aggregate");
  limiter.setLimits({ aggregates: [{ ipv4Prefix: 24, max: 5 }] });
  assertStrictEquals(refusedFor(limiter, "192.0.2.9"), undefined);
  limiter.setLimits({ aggregates: [{ ipv4Prefix: 16, max: 4 }] });
  assertStrictEquals(refusedFor(limiter, "192.0.3.1"), "aggregate");
  for (const slot of slots) slot.release();
  acceptAll(limiter, "192.0.3.1", 4);
  assertStrictEquals(refusedFor(limiter, "192.0.2.9"), "aggregate");
});

test("Limiter.setLimits() counts clients that were as wide as an aggregate is now, and not those that were wider", () => {
  const limiter = new Limiter({ ipv4Prefix: 24 });
  acceptAll(limiter, "192.0.2.7", 2);
  limiter.setLimits({ aggregates: [{ ipv4Prefix: 24, max: 2 }] });
  assertStrictEquals(refusedFor(limiter, "192.0.2.9"), "aggregate");
  limiter.setLimits({ aggregates: [{ ipv4Prefix: 25, max: 1 }] });
  assertStrictEquals(refusedFor(limiter, "192.0.2.9"), undefined);
});
