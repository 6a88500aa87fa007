import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Tally } from "../../src/admission/tally.ts";

/** Adds clients to a tally and to a map. */
function tallyOf(capacity: number, clients: Iterable<number>): { tally: Tally; exact: Map<number, number> } {
  const tally = new Tally(capacity);
  const exact = new Map<number, number>();
  for (const client of clients) {
    tally.add(client, "client");
    exact.set(client, (exact.get(client) ?? 0) + 1);
    assert(tally.size <= capacity);
  }
  return { tally, exact };
}

/** What the tally promises, whoever was added in whatever order. */
function check(capacity: number, { tally, exact }: ReturnType<typeof tallyOf>): void {
  assert(tally.error <= 2 * tally.total / capacity, `${tally.error} of ${tally.total} in ${capacity}`);
  assertEquals(tally.total, [...exact.values()].reduce((sum, count) => sum + count, 0));
  for (const [client, count] of exact) {
    const kept = tally.get(client)?.count ?? 0;
    assert(kept <= count && count <= kept + tally.error, `${kept} of ${count}, error ${tally.error}`);
  }
}

test("Tally counts exactly while there is a place for each client", () => {
  const { tally, exact } = tallyOf(4, [1, 2, 3, 2, 4, 2]);
  assertEquals([tally.error, tally.size, tally.total], [0, 4, 6]);
  assertEquals(new Map([...tally].map(([client, { count }]) => [client, count])), exact);
});

test("Tally keeps its error bound, whoever is added in whatever order", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 12 }),
      fc.array(fc.nat(40), { maxLength: 400, size: "max" }),
      (capacity, clients) => check(capacity, tallyOf(capacity, clients)),
    ),
    { numRuns: 500 },
  );
});

test("Tally keeps its error bound, and the frequent clients, among 100,000 that come once each", () => {
  function* crowd() {
    for (let i = 0; i < 100_000; i++) {
      yield 1_000 + i;
      if (i % 100 === 0) yield 1;
      if (i % 150 === 0) yield 2;
    }
  }
  const counted = tallyOf(1_000, crowd());
  check(1_000, counted);
  const [first, second] = [...counted.tally].sort((one, other) => other[1].count - one[1].count);
  assertEquals([first![0], second![0]], [1, 2]);
});

test("Tally keeps its error bound against an order made to drive a frequent client out", () => {
  function* attack() {
    for (let round = 0; round < 200; round++) {
      yield 0;
      // As many newcomers as there are places, each as often as the client by then.
      for (let other = 1; other <= 50; other++) {
        for (let i = 0; i <= round % 7; i++) yield round * 100 + other;
      }
    }
  }
  check(50, tallyOf(50, attack()));
});

test("Tally keeps the last reason of a client, and forgets everything when it is cleared", () => {
  const tally = new Tally(2);
  tally.add(1, "client");
  tally.add(1, "total");
  assertEquals(tally.get(1), { count: 2, reason: "total" });
  for (const client of [2, 3, 4]) tally.add(client, "client");
  tally.clear();
  assertEquals([tally.total, tally.error, tally.size], [0, 0, 0]);
});

test("Tally cuts keys of more than 128 characters, and counts those that begin alike together", () => {
  const tally = new Tally(10);
  tally.add("k".repeat(10_000), "client");
  tally.add("k".repeat(10_001), "client");
  tally.add("k".repeat(128), "client");
  assertEquals([...tally].map(([key, { count }]) => [String(key).length, count]), [[65, 2], [128, 1]]);
});
