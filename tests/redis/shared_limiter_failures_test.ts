/**
 * The table of failures, with short heartbeats. `deno task stress:shared` has the usual ones.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { CLIENTS } from "../support/redis/clients.ts";
import { judge } from "../support/redis/failure.ts";
import { FAILURES } from "../support/redis/failures.ts";
import { Lab, LIMIT, type Pace, SHORT } from "../support/redis/lab.ts";
import { noRedis, RunningRedis } from "../support/redis/running_redis.ts";
import { eventually } from "../support/net.ts";
import { testUnless } from "../support/test_unless.ts";

/** One that steps the clock of this process is not for the others. */
const alone = FAILURES.filter(({ name }) => name.includes("clock"));
const together = FAILURES.filter((failure) => !alone.includes(failure));

/** All at once, since most of them wait. */
async function wrongs(failures: typeof FAILURES): Promise<string[]> {
  await using redis = await RunningRedis.start();
  const found = await Promise.all(failures.map(async (failure) => {
    try {
      return judge(failure, await failure.run({ pace: SHORT, redis }));
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

testUnless(noRedis, "limiters share a limit by each client, and leave nothing in the store", async () => {
  await using redis = await RunningRedis.start();
  await Promise.all(
    Object.entries(CLIENTS).map(async ([name, connect]) => {
      await using lab = await Lab.start({ redis, connect });
      for (const instance of lab.instances) await lab.hold(LIMIT / 2, instance);
      assertEquals(await lab.take(1), 0, name);
      lab.instances[0]!.give();
      await lab.heal();
      await lab.close();
      assertEquals(await lab.keys(), [], name);
    }),
  );
});

testUnless(noRedis, "limiters need no more permissions than the documentation names", async () => {
  const page = await readFile(new URL("../../docs/shared.md", import.meta.url), "utf8");
  const [line, username, password] = /^ACL SETUSER (\S+) on >(\S+) .*$/m.exec(page)!;
  await using redis = await RunningRedis.start();
  await redis.ask(...line.split(" "));
  await assertRejects(
    async () => {
      using observer = await redis.observe();
      await observer.ask("AUTH", username!, password!);
      await observer.ask("GET", "another");
    },
    Error,
    "NOPERM",
  );
  await Promise.all(
    Object.entries(CLIENTS).map(async ([name, connect]) => {
      await using lab = await Lab.start({
        redis,
        connect: (options) => connect({ ...options, username: username!, password: password! }),
      });
      for (const instance of lab.instances) await lab.hold(LIMIT / 2, instance);
      assertEquals(await lab.take(1), 0, name);
      lab.instances[0]!.give();
      await lab.heal();
      await lab.close();
      assertEquals(await lab.keys(), [], name);
    }),
  );
});

const SHORTEST: Pace = { heartbeatMs: 60, deadMs: 250, deadlineMs: 60, keyTtlMs: 500 };

testUnless(noRedis, "what a limiter leaves that has died is gone from the store by its expiry", async () => {
  await using lab = await Lab.start({ instances: 1, pace: SHORTEST });
  await lab.hold(LIMIT);
  lab.relays[0]!.swallow();
  const keys = await lab.keys();
  assertEquals(keys.length, 2);
  for (const key of keys) assert(Number(await lab.redis.ask("PTTL", key)) > 0, key);
  await eventually(async () => (await lab.keys()).length === 0, "the keys to expire");
});
