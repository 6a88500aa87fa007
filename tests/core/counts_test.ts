/**
 * Clients and aggregates are counted for as long as connections are open.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { heapUsed } from "../../testing/memory.ts";
import { acceptAll, refusedFor } from "../support/admissions.ts";

test("Limiter counts aggregates at the same time, and a refusal leaves no trace at any level", () => {
  const limiter = new Limiter({
    maxPerClient: 3,
    aggregates: [{ ipv4Prefix: 24, ipv6Prefix: 48, max: 4 }, { ipv4Prefix: 16, max: 6 }],
  });
  const slots = [
    ...acceptAll(limiter, "192.0.2.1", 2),
    ...acceptAll(limiter, "192.0.2.2", 2),
    ...acceptAll(limiter, "192.0.3.1", 2),
  ];
  assertStrictEquals(refusedFor(limiter, "192.0.2.3"), "aggregate");
  assertStrictEquals(refusedFor(limiter, "192.0.2.1"), "aggregate");
  assertStrictEquals(refusedFor(limiter, "192.0.3.1"), "aggregate");
  assertStrictEquals(refusedFor(limiter, "192.0.4.1"), "aggregate");
  assertStrictEquals(refusedFor(limiter, "192.1.0.1"), undefined);
  assertStrictEquals(limiter.stats().clients, 3);
  // Room in the /16 alone is not room in the full /24.
  slots[4]!.release();
  assertStrictEquals(refusedFor(limiter, "192.0.2.3"), "aggregate");
  assertStrictEquals(refusedFor(limiter, "192.0.4.1"), undefined);
  for (const slot of slots) slot.release();
  acceptAll(limiter, "192.0.2.1", 3);
  acceptAll(limiter, "192.0.2.2", 1);
  acceptAll(limiter, "2001:db8:1:1::", 3);
  acceptAll(limiter, "2001:db8:1:2::", 1);
  assertStrictEquals(refusedFor(limiter, "2001:db8:1:3::"), "aggregate");
  assertStrictEquals(refusedFor(limiter, "2001:db8:2:3::"), undefined);
});

test("Limiter with an aggregate of max 0 refuses its clients", () => {
  const limiter = new Limiter({ aggregates: [{ ipv4Prefix: 0, max: 0 }] });
  assertStrictEquals(refusedFor(limiter, "192.0.2.7"), "aggregate");
  assertStrictEquals(refusedFor(limiter, "2001:db8::1"), undefined);
  assertStrictEquals(refusedFor(limiter, { key: "alice" }), undefined);
});

test("Limiter.clients() and its counts leave out a client whose connections have all closed", () => {
  const limiter = new Limiter();
  for (const peer of ["192.0.2.7", "192.0.2.8", "192.0.2.8", "2001:db8::7", "192.0.2.7"]) {
    const slot = limiter.accept(peer);
    assertEquals([...limiter.clients()], [{ client: slot.client, open: 1 }]);
    assertStrictEquals(limiter.stats().clients, 1);
    slot.release();
    assertEquals([[...limiter.clients()], limiter.stats().clients, limiter.openFor(peer)], [[], 0, 0]);
  }
  const [one, other] = [limiter.accept("192.0.2.7"), limiter.accept("192.0.2.9")];
  one.release();
  assertEquals([...limiter.clients()], [{ client: "192.0.2.9", open: 1 }]);
  assertStrictEquals(limiter.stats().clients, 1);
  other.release();
  assertStrictEquals(limiter.stats().clients, 0);
});

test("Limiter keeps nothing of a million clients that came and went", () => {
  const limiter = new Limiter({ aggregates: [{ ipv4Prefix: 16, ipv6Prefix: 32, max: Infinity }] });
  acceptAll(limiter, "192.0.2.7", 1)[0]!.release();
  const before = heapUsed();
  let slots: Disposable[] = [];
  for (let client = 0; client < 1_000_000; client++) {
    const peer = client % 2 === 0
      ? `10.${client >> 16}.${client >> 8 & 255}.${client & 255}`
      : `2001:db8:${(client >> 16).toString(16)}:${(client & 0xffff).toString(16)}::1`;
    slots.push(limiter.accept(peer));
  }
  assertStrictEquals(limiter.stats().clients, 1_000_000);
  for (const slot of slots) slot[Symbol.dispose]();
  slots = [];
  assertStrictEquals(limiter.stats().clients, 0);
  assertEquals([...limiter.clients()], []);
  const left = heapUsed() - before;
  assert(left < 2_000_000, `${left} bytes are left`);
});
