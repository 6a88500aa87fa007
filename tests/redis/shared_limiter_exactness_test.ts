/**
 * Four processes that share a limit, for a moment. `deno task stress:shared` lets them run for longer, at every level.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { isDeno } from "../support/platform.ts";
import { noRedis } from "../support/redis/running_redis.ts";
import { testUnless } from "../support/test_unless.ts";

/** It starts processes on all runtimes, so once is enough. */
const elsewhere = isDeno ? false : "Deno's tests have it";

testUnless(noRedis || elsewhere, "processes on three runtimes share a limit exactly, by four clients", async () => {
  const { measureExactness } = await import("../../stress/shared/exactness.ts");
  const { max, most, used, unhandled, left } = await measureExactness("client", 1_500, 150);
  assertEquals({ most, unhandled, left }, { most: max, unhandled: 0, left: [] });
  assert(used > 0.9, `only ${used} of the limit was used`);
});
