/**
 * The store in memory keeps to what is said of stores.
 *
 * @module
 */

import { EventEmitter } from "node:events";
import { test } from "node:test";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { MemoryStore } from "../../src/shared/memory_store.ts";
import { StoreLimiter } from "../../src/shared/store_limiter.ts";
import { eventually } from "../../testing/net.ts";
import { turns } from "../support/settled.ts";
import type { CountRequest, LifeSign } from "../../src/shared/store.ts";

const request = (id: string, seq: number, more: Partial<CountRequest>): CountRequest => (
  { key: "k", id, seq, since: 1, unsure: false, have: 0, want: 0, max: 10, split: 0, ...more }
);
const sign = (id: string, beat: number): LifeSign => ({ id, beat, floor: 0, open: 0 });

/** A child process, as far as its channel goes. */
class FakeProcess extends EventEmitter {
  readonly sent: unknown[] = [];

  send(message: unknown): void {
    this.sent.push(message);
  }
}

test("MemoryStore grants what there is room for, and says who has the rest", async () => {
  const store = new MemoryStore();
  assertEquals(await store.count(request("a", 1, { want: 4 })), { granted: 4, others: 0 });
  assertEquals(await store.count(request("b", 1, { want: 7 })), {
    granted: 6,
    others: 4,
    entries: [{ id: "a", count: 4, seq: 1 }],
  });
  assertEquals(await store.count(request("a", 2, { have: 4, want: 1 })), {
    granted: 0,
    others: 6,
    entries: [{ id: "b", count: 6, seq: 1 }],
  });
  assertEquals([await store.total("k"), await store.total("other")], [10, 0]);
});

test("MemoryStore counts what an instance has even if it is above the limit", async () => {
  const store = new MemoryStore();
  await store.count(request("a", 1, { have: 12 }));
  assertEquals([await store.total("k"), (await store.count(request("b", 1, { want: 1 }))).granted], [12, 0]);
  assertEquals((await store.count(request("b", 2, { have: 1, want: 0, split: 2 }))).granted, 0);
  assertEquals(await store.total("k"), 13);
});

test("MemoryStore grants a share of what is left beyond what is wanted, and none of no limit", async () => {
  const store = new MemoryStore();
  assertEquals((await store.count(request("a", 1, { want: 1, split: 3 }))).granted, 1 + 3);
  assertEquals((await store.count(request("b", 1, { want: 6, split: 2 }))).granted, 6);
  assertEquals((await store.count(request("c", 1, { key: "x", want: 2, split: 2, max: Infinity }))).granted, 2);
});

test("MemoryStore grants nothing to an instance that wants nothing, however much is left", async () => {
  const store = new MemoryStore();
  assertEquals((await store.count(request("a", 1, { have: 2, split: 2 }))).granted, 0);
  assertEquals((await store.count(request("a", 2, { split: 2 }))).granted, 0);
  assertEquals(store.keys, 0);
});

test("MemoryStore rejects what is late, and replies as before to what comes twice", async () => {
  const store = new MemoryStore();
  const first = request("a", 5, { want: 2 });
  const reply = await store.count(first);
  assertEquals([await store.count(first), await store.total("k")], [reply, 2]);
  await assertRejects(() => store.count(request("a", 4, { have: 9 })), Error, "late");
  await store.count(request("a", 7, { have: 1, since: 7 }));
  await assertRejects(() => store.count(request("a", 8, { have: 9, since: 5 })), Error, "late");
  assertEquals(await store.total("k"), 1);
});

test("MemoryStore keeps nothing of a key without counts", async () => {
  const store = new MemoryStore();
  for (const id of ["a", "b"]) await store.count(request(id, 1, { want: 1 }));
  for (const id of ["a", "b"]) await store.count(request(id, 2, {}));
  assertEquals([store.keys, store.instances], [0, 0]);
});

test("MemoryStore reaps the entries that have not been written since", async () => {
  const store = new MemoryStore();
  await store.count(request("a", 1, { want: 3 }));
  await store.count(request("b", 1, { want: 3 }));
  await store.count(request("b", 2, { have: 3 }));
  await store.reap("k", [{ id: "a", count: 3, seq: 1 }, { id: "b", count: 3, seq: 1 }, { id: "c", count: 1, seq: 1 }]);
  assertEquals(await store.total("k"), 3);
});

test("MemoryStore knows since when it has an instance, and forgets those that are gone with all they had", async () => {
  const store = new MemoryStore();
  await store.beat(sign("a", 1), []);
  await store.count(request("a", 1, { want: 3 }));
  await store.beat(sign("a", 2), []);
  // Late, so that it changes nothing.
  await store.beat(sign("a", 1), []);
  assertEquals(await store.beat(sign("b", 7), [sign("a", 1)]), [
    { ...sign("a", 2), birth: 1 },
    { ...sign("b", 7), birth: 7 },
  ]);
  assertEquals(await store.beat(sign("b", 8), [sign("a", 2)]), [{ ...sign("b", 8), birth: 7 }]);
  assertEquals(await store.total("k"), 0);
  await store.beat(sign("a", 3), []);
  assertEquals((await store.beat(sign("b", 9), [])).find(({ id }) => id === "a")?.birth, 3);
  for (const id of ["a", "b"]) await store.leave(id);
  assertEquals([store.keys, store.instances], [0, 0]);
});

test("MemoryStore believes nobody that an instance is gone which it serves", async () => {
  const store = new MemoryStore();
  const process = new FakeProcess();
  store.serve(process);
  const call = (method: string, ...args: unknown[]) =>
    process.emit("message", ["connlimit", "limit", "1", method, ...args]);
  call("beat", sign("a", 1), []);
  call("count", request("a", 1, { want: 3 }));
  const seen = async () => (await store.beat(sign("b", 1), [])).find(({ id }) => id === "a")!;
  const [first, second] = [await seen(), await seen()];
  // It seems to beat, since its thread may be busy for long.
  assertEquals([second.beat > first.beat, second.birth], [true, 1]);
  await store.beat(sign("b", 2), [second]);
  await store.reap("k", [{ id: "a", count: 3, seq: 1 }]);
  assertEquals(await store.total("k"), 3);
  // What it hears of itself is what it has said.
  call("beat", sign("a", 2), []);
  await turns();
  assertEquals((process.sent.at(-1) as [...unknown[], LifeSign[]]).at(-1), [
    { ...sign("a", 2), birth: 1 },
    { ...sign("b", 2), birth: 1 },
  ]);
  process.emit("exit", 0);
  assertEquals([await store.total("k"), store.instances], [0, 1]);
});

test("Limiters over a MemoryStore leave nothing in it at any level, and every question is answered", async () => {
  const store = new MemoryStore();
  const limits = { maxTotal: 1_000, aggregates: [{ ipv4Prefix: 24, max: 100 }] };
  await using limiter = new StoreLimiter(limits, store, { heartbeatMs: 30, deadMs: 1_000 });
  await eventually(() => limiter.status === "up", "the store");
  for (let i = 0; i < 20; i++) (await limiter.accept(`192.0.${i}.7`)).release();
  await eventually(() => store.keys === 0, "nothing to be counted");
  const { status, unanswered } = limiter.stats();
  assertEquals([status, unanswered], ["up", 0]);
});

test("MemoryStore refuses names that are none", () => {
  for (const name of ["", "x".repeat(257), 7, null]) {
    assertThrows(() => new MemoryStore({ name: name as never }), TypeError, "name must be a string of 1 to 256");
  }
  assertThrows(() => new MemoryStore({ nmae: "x" } as never), TypeError, "nmae");
});
