/**
 * Workers and child processes share limits by a store in the memory of their parent.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { STARTS } from "../support/shared/ends.ts";
import { MOST_OF_IT, trial } from "../support/shared/trials.ts";

let ended: ReturnType<typeof trial<"ended">> | undefined;
let sharing: ReturnType<typeof trial<"sharing">> | undefined;

for (const how of Object.keys(STARTS)) {
  test(`MemoryStore has the slots at once of ${how} that ends`, async () => {
    const seen = (await (ended ??= trial("ended"))).filter((it) => it.how === how);
    assert(seen.length > 0);
    for (const { ending, taken, code } of seen) {
      // One that leaves its channel keeps its slots until it ends. Its limiter refuses everyone, as it was told.
      const left = ending === "leave";
      assertEquals([taken, code], [[7, 3, 5, 0, ...left ? [0] : [], 0], left ? 42 : undefined], ending);
    }
  });
}

test("StoreLimiters of three workers share each level exactly, and leave nothing", async () => {
  const { tries } = await (sharing ??= trial("sharing"));
  for (const { name, max, most, left } of tries.flat()) {
    assert(most <= max && left === 0, `${name}: ${most} open at a limit of ${max}, ${left} left`);
  }
  for (const { name, used } of tries.at(-1)!) assert(used > MOST_OF_IT, `${name}: only ${used} of the limit was used`);
});

test("StoreLimiter is exact where a client floods, where the store is busy for long, and where a worker is", async () => {
  const { attempts, asked, ...seen } = (await (sharing ??= trial("sharing"))).busy;
  assertEquals(seen, { first: 10, has: 6, more: [0, 0], most: 6, back: "back" });
  assert(attempts > 1_000 && asked <= 40, `${asked} questions for ${attempts} attempts`);
});
