import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Limiter, LimitReachedError } from "@connlimit/connlimit";
import { acceptAll, refusedFor } from "../support/admissions.ts";

test("Limiter.accept() admits up to the limit and again when a slot is back", () => {
  const limiter = new Limiter({ maxPerClient: 2 });
  const [first] = acceptAll(limiter, "192.0.2.7", 2);
  const error = assertThrows(() => limiter.accept("192.0.2.7"), LimitReachedError);
  assertStrictEquals(error.reason, "client");
  assertStrictEquals(error.name, "LimitReachedError");
  assertStrictEquals(refusedFor(limiter, "192.0.2.8"), undefined);
  first!.release();
  assertStrictEquals(refusedFor(limiter, "192.0.2.7"), undefined);
});

test("Limiter.tryAccept() answers with a slot or a refusal, told apart by `admitted`", () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  const slot = limiter.tryAccept("192.0.2.7");
  assert(slot.admitted);
  assertStrictEquals(slot.client, "192.0.2.7");
  assertStrictEquals(slot.released, false);
  const refusal = limiter.tryAccept("192.0.2.7");
  assert(!refusal.admitted);
  assertStrictEquals(refusal.reason, "client");
});

test("Limiter.tryAccept() gives the same frozen refusal for the same reason", () => {
  const limiter = new Limiter({ maxPerClient: 0 });
  const refusal = limiter.tryAccept("192.0.2.7");
  assertStrictEquals(refusal, limiter.tryAccept("192.0.2.8"));
  assert(Object.isFrozen(refusal));
  refusal[Symbol.dispose]();
  assertStrictEquals(limiter.open, 0);
});

test("Limiter with maxPerClient 0 refuses everyone, and with Infinity nobody", () => {
  assertStrictEquals(refusedFor(new Limiter({ maxPerClient: 0 }), "192.0.2.7"), "client");
  const limiter = new Limiter({ maxPerClient: Infinity });
  acceptAll(limiter, "192.0.2.7", 1_000);
  assertStrictEquals(refusedFor(limiter, "192.0.2.7"), undefined);
});

test("Limiter refuses everyone while maxTotal are open", () => {
  const limiter = new Limiter({ maxTotal: 2 });
  const [slot] = acceptAll(limiter, "192.0.2.7", 1);
  acceptAll(limiter, { key: "alice" }, 1);
  assertStrictEquals(refusedFor(limiter, "2001:db8::1"), "total");
  slot!.release();
  assertStrictEquals(refusedFor(limiter, "2001:db8::1"), undefined);
});

test("Limiter refuses exactly 500 of 1,000 connections over 100 addresses at limit 5", () => {
  const limiter = new Limiter({ maxPerClient: 5 });
  const admissions = Array.from({ length: 1_000 }, (_, index) => limiter.tryAccept(`192.0.2.${index % 100}`));
  const slots = admissions.filter((admission) => admission.admitted);
  assertStrictEquals(slots.length, 500);
  assertStrictEquals(limiter.stats().refusedBy.client, 500);
  for (const { client } of slots) assertStrictEquals(limiter.openFor(client), 5);
  for (const slot of slots) slot[Symbol.dispose]();
  assertStrictEquals(limiter.open, 0);
});

test("tryAccept() refuses undefined, which frameworks have for the address of a connection that has closed", () => {
  const limiter = new Limiter();
  const admission = limiter.tryAccept(undefined);
  assertEquals(admission.admitted || admission.reason, "unknown-address");
  assertEquals([limiter.openFor(undefined), limiter.explain(undefined).reason], [0, "unknown-address"]);
});
