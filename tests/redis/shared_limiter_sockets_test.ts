/**
 * Servers of three processes that share a limit, and clients that reset and leave. `deno task stress:shared` has more of them.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { isDeno, oneAddress } from "../support/platform.ts";
import { noRedis } from "../support/redis/running_redis.ts";
import { testUnless } from "../support/test_unless.ts";

/** It starts processes on two runtimes, so once is enough. */
const elsewhere = isDeno ? false : "Deno's tests have it";

testUnless(
  noRedis || oneAddress || elsewhere,
  "three servers with a shared limit keep nothing of clients that reset and leave",
  async () => {
    const { measureLeaks } = await import("../../stress/shared/sockets.ts");
    const { tried, echoed, admitted, refused, ...none } = await measureLeaks(1_500);
    assertEquals(none, { unhandled: 0, open: 0, left: [] });
    // All that can become of a connection has.
    assert(
      tried >= 1_500 && echoed > 100 && admitted > echoed && refused > 50,
      JSON.stringify({ tried, echoed, admitted, refused }),
    );
  },
);
