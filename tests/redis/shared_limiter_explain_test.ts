/**
 * What a limiter that is shared through Redis says that it would answer.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { Lab, LIMIT, until } from "../support/redis/lab.ts";
import { noRedis } from "../support/redis/running_redis.ts";
import { testUnless } from "../support/test_unless.ts";

const PEER = "192.0.2.7";

testUnless(
  noRedis,
  "explain() of a shared limiter says what is open everywhere, and what it would answer without the store",
  async () => {
    await using lab = await Lab.start({ onStoreDown: "closed" });
    const [first, second] = lab.instances;
    const explain = async () => {
      const { admitted, reason, status, levels: [{ open, openEverywhere, max, room } = {} as never] } = await second!
        .limiter
        .explain(PEER);
      return { admitted, reason, status, open, openEverywhere, max, room };
    };
    const before = await lab.keys();
    assertEquals(await explain(), {
      ...{ admitted: true, reason: null, status: "up", open: 0, openEverywhere: 0, max: LIMIT, room: true },
    });
    assertEquals(await lab.keys(), before, "it writes nothing");
    await lab.hold(LIMIT - 1, first);
    await lab.hold(1, second);
    const full = {
      admitted: false,
      reason: "client" as const,
      status: "up" as const,
      open: 1,
      openEverywhere: LIMIT,
      max: LIMIT,
      room: false,
    };
    assertEquals(await explain(), full);
    assertEquals(await second!.take(1), 0);
    first!.give(1);
    await until(async () => (await explain()).admitted, "room for one more");
    assertEquals(await second!.take(1), 1);
    assertEquals((await explain()).openEverywhere, LIMIT);

    await lab.redis.kill();
    await until(() => second!.limiter.status === "down", "the store to count as away");
    assertEquals(await explain(), {
      ...{
        admitted: false,
        reason: "unavailable",
        status: "down",
        open: 2,
        openEverywhere: null,
        max: LIMIT,
        room: true,
      },
    });
  },
);
