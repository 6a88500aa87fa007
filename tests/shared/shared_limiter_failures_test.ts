/**
 * The table of failures, with short heartbeats. `deno task stress:shared` has the usual ones.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { judge } from "../support/redis/failure.ts";
import { FAILURES } from "../support/redis/failures.ts";
import { Lab, LIMIT, SHORT } from "../support/redis/lab.ts";
import { noRedis } from "../support/redis/running_redis.ts";
import { CLIENTS } from "../support/redis/clients.ts";
import { eventually } from "../support/net.ts";
import { testUnless } from "../support/test_unless.ts";

/** One that steps the clock of this process is not for the others. */
const alone = FAILURES.filter(({ name }) => name.includes("clock"));
const together = FAILURES.filter((failure) => !alone.includes(failure));

/** All at once, since most of them wait. */
async function wrongs(failures: typeof FAILURES): Promise<string[]> {
  const found = await Promise.all(failures.map(async (failure) => {
    try {
      return judge(failure, await failure.run(SHORT));
    } catch (error) {
      return [`${failure.name}: ${(error as Error).stack}`];
    }
  }));
  return found.flat();
}

testUnless(
  noRedis,
  "limiters and their store agree again after every failure, by the time that is stated",
  async () => {
    assertEquals(await wrongs(together), []);
  },
);

testUnless(noRedis, "limiters do not read the clock of the machine", async () => {
  assertEquals(await wrongs(alone), []);
});

for (const [name, connect] of Object.entries(CLIENTS)) {
  testUnless(noRedis, `limiters share a limit by ${name}, and leave nothing in the store`, async () => {
    await using lab = await Lab.start({ connect });
    assertEquals(await lab.take(LIMIT), LIMIT);
    assertEquals(await lab.take(1), 0);
    lab.instances[0]!.give();
    await lab.heal();
    using observer = await lab.redis.observe();
    await lab.close();
    assertEquals(await observer.keys(), []);
  });
}

testUnless(noRedis, "what a limiter leaves that has died is gone from the store by its expiry", async () => {
  await using lab = await Lab.start({ instances: 1, pace: { ...SHORT, keyTtlMs: 1_000 } });
  assertEquals(await lab.take(LIMIT), LIMIT);
  lab.relays[0]!.swallow();
  using observer = await lab.redis.observe();
  for (const key of await observer.keys()) assertEquals(Number(await observer.ask("PTTL", key)) > 0, true, key);
  // The registry of instances may outlive the keys of clients by a few heartbeats.
  await eventually(async () => (await observer.keys()).length === 0, "the keys to expire");
});
