/**
 * Workers and child processes share limits by a store in the memory of their parent.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { STARTS } from "../support/shared/ends.ts";
import { trial } from "../support/shared/trials.ts";

for (const how of Object.keys(STARTS)) {
  test(`StoreLimiter over the channel of ${how} has the slots at once of one that is ended`, async () => {
    const { taken, tookMs, keys } = await trial("ended", how);
    assertEquals([taken, keys], [[7, 3, 5, 0, 0, 0], 0]);
    // Those that were refused are not asked for again for 50 ms.
    assert(tookMs < 1_000, `it took ${tookMs} ms`);
  });
}

test("StoreLimiters of four workers share each level exactly, and leave nothing", async () => {
  for (const { name, max, most, used, left } of await trial("exactness", "800")) {
    assert(most <= max && left === 0, `${name}: ${most} open at a limit of ${max}, ${left} left`);
    assert(used > 0.8, `${name}: only ${used} of the limit was used`);
  }
});

test("StoreLimiter is exact where a client floods, where the store is busy for long, and where a worker is", async () => {
  const { attempts, asked, ...seen } = await trial("busy");
  assertEquals(seen, { first: 10, has: 6, more: [0, 0], most: 6, back: "back" });
  assert(attempts as number > 1_000 && asked as number <= 40, `${asked} questions for ${attempts} attempts`);
});
