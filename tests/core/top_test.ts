import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Limiter } from "@connlimit/connlimit";
import { largest } from "../../src/core/top.ts";

test("Limiter.top() has the clients with most open connections, the highest number first", () => {
  const limiter = new Limiter();
  for (const [host, open] of [3, 1, 9, 4, 2].entries()) {
    for (let i = 0; i < open; i++) limiter.accept(`192.0.2.${host}`);
  }
  const { open, refused } = limiter.top(3);
  assertEquals(open, [
    { client: "192.0.2.2", open: 9 },
    { client: "192.0.2.3", open: 4 },
    { client: "192.0.2.0", open: 3 },
  ]);
  assertEquals(refused, null);
  assertEquals(limiter.top().open.length, 5);
  assertEquals(limiter.top(0), { open: [], refused: null });
});

test("Limiter.top() takes 0 to 1000, and says so otherwise", () => {
  const limiter = new Limiter();
  assertThrows(() => limiter.top(1_001), RangeError, "n must be a whole number from 0 to 1000, got 1001");
  assertThrows(() => limiter.top(-1), RangeError, "n must be a whole number from 0 to 1000, got -1");
  assertThrows(() => limiter.top("9" as never), TypeError, 'n must be a number, got "9"');
});

test("largest() is the beginning of the sorted entries, whatever they are", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 50 }), fc.nat(60), (numbers, n) => {
      const entries = numbers.map((number, key): [number, number] => [key, number]);
      assertEquals(largest(entries, n), entries.toSorted((one, other) => other[1] - one[1]).slice(0, n));
    }),
  );
});
