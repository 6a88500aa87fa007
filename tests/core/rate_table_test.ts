import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { CompiledRate } from "../../src/core/rate.ts";
import { RateTable } from "../../src/core/rate_table.ts";

/** A connection each 10 ticks, and three at once. */
const RATE: CompiledRate = { interval: 10, span: 30, penalty: false };

/** Takes a connection if it is due. */
function take(table: RateTable, key: number, now: number, rate = RATE, maxTracked = 1_000_000): boolean {
  return table.take(key, rate, now, maxTracked, 1) <= 0;
}

test("RateTable decides over 100,000 random arrivals as a list of all of them does", () => {
  const table = new RateTable();
  /** Of each client, when its last connections came. */
  const last = new Map<number, { tokens: number; at: number }>();
  let seed = 1;
  const random = (below: number) => (seed = (seed * 48271) % 2147483647) % below;
  let now = 0;
  const answers = [0, 0];
  for (let i = 0; i < 100_000; i++) {
    now += random(4) >> 1 & 1 & random(2);
    const key = random(20);
    // A bucket of tenths of tokens: another way to say the same, in whole numbers.
    const bucket = last.get(key) ?? { tokens: 30, at: now };
    bucket.tokens = Math.min(30, bucket.tokens + now - bucket.at);
    bucket.at = now;
    last.set(key, bucket);
    const due = bucket.tokens >= 10;
    if (due) bucket.tokens -= 10;
    assertStrictEquals(take(table, key, now), due, `arrival ${i}`);
    answers[+due]!++;
    assert(table.size <= 20);
  }
  assert(answers.every((count) => count > 10_000), `${answers}`);
});

test("RateTable forgets what says nothing as others come, and a million clients leave nothing", () => {
  const table = new RateTable();
  let most = 0;
  for (let i = 0; i < 1_000_000; i++) {
    assert(take(table, i, i));
    most = Math.max(most, table.size);
  }
  // Each says something for 10 ticks.
  assert(most <= 12, `${most}`);
  for (let i = 0; i < 1_000; i++) take(table, i, 2_000_000);
  for (let i = 0; i < 1_000; i++) take(table, 5, 3_000_000 + 10 * i);
  assertStrictEquals(table.size, 1);
});

test("RateTable is bounded, and forgets exactly those first that are nearest to saying nothing", () => {
  const table = new RateTable();
  const rate = { interval: 1_000, span: 100_000, penalty: false };
  const spent = new Map<number, number>();
  let seed = 7;
  const random = (below: number) => (seed = (seed * 48271) % 2147483647) % below;
  for (let i = 0; i < 20_000; i++) {
    const key = random(1_000);
    const before = table.spent(key, rate, 0);
    assertStrictEquals(before, spent.get(key) ?? 0);
    if (before + rate.interval > rate.span) continue;
    if (!spent.has(key) && spent.size === 100) {
      const least = Math.min(...spent.values());
      table.take(key, rate, 0, 100, 1);
      const forgotten = [...spent.keys()].filter((key) => table.spent(key, rate, 0) === 0);
      assertEquals(forgotten.map((key) => spent.get(key)), [least]);
      spent.delete(forgotten[0]!);
    } else table.take(key, rate, 0, 100, 1);
    spent.set(key, before + rate.interval);
    assertStrictEquals(table.size, spent.size);
  }
  assertStrictEquals(table.size, 100);
});

test("RateTable has no call that takes long, even one that forgets a whole table that has moved on", () => {
  const table = new RateTable();
  const size = 65_536;
  const rate = { interval: 1_000, span: 10_000, penalty: false };
  for (let round = 0; round < 3; round++) {
    for (let key = 0; key < size; key++) take(table, key, round, rate, size);
  }
  const start = performance.now();
  take(table, size, 3, rate, size);
  const took = performance.now() - start;
  assert(took < 250, `${took} ms`);
  assertStrictEquals(table.size, size);
});
