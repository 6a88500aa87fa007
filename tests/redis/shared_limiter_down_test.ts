/**
 * What `onStoreDown` decides, for each of its values and each way for the store to be away.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { SharedLimiter } from "@connlimit/connlimit/redis";
import { CLIENTS, type Send } from "../support/redis/clients.ts";
import { Lab, LIMIT, SHORT, until } from "../support/redis/lab.ts";
import { noRedis, RunningRedis } from "../support/redis/running_redis.ts";
import { testUnless } from "../support/test_unless.ts";

/** So many are admitted of what is asked for at each of two limiters, beyond what the first has open already. */
const ASKED = 2 * LIMIT;
const ADMITTED = { local: LIMIT, open: ASKED, closed: 0 } as const;

/** Each makes the store go away, and returns what brings it back. */
const FAILURES: Readonly<Record<string, (lab: Lab) => Promise<() => unknown> | (() => unknown)>> = {
  "is killed": async ({ redis }) => {
    await redis.kill();
    return () => redis.restart();
  },
  "stands still": ({ redis }) => {
    redis.freeze();
    return () => redis.resume();
  },
  "swallows everything": ({ relays }) => {
    for (const relay of relays) relay.swallow();
    return () => relays.forEach((relay) => [relay.pass(), relay.cut()]);
  },
};

for (const onStoreDown of ["local", "open", "closed"] as const) {
  testUnless(noRedis, `onStoreDown "${onStoreDown}": the store goes away, and no slot is lost or locked`, async () => {
    await Promise.all(
      Object.entries(FAILURES).map(async ([name, fail]) => {
        await using lab = await Lab.start({ onStoreDown });
        const [first, second] = lab.instances;
        await lab.hold(2, first);
        const back = await fail(lab);
        // The first questions wait for their deadline, and are answered by the policy as those after them.
        const admitted = await Promise.all([first!.take(ASKED - 2), second!.take(ASKED)]);
        // Until it is known to be away, what is refused here is refused, whatever the policy.
        const expected = Math.min(ADMITTED[onStoreDown], LIMIT);
        assertEquals(admitted, [Math.max(0, expected - 2), expected]);
        await until(
          () => lab.instances.every(({ limiter }) => limiter.status === "down"),
          "the store to count as away",
        );
        const { asked } = second!.limiter.stats();
        await second!.take(ASKED - expected);
        assertEquals(second!.held.length, ADMITTED[onStoreDown]);
        // Nothing is asked now but whether the store is there again.
        assert(second!.limiter.stats().asked <= asked + 2, "nobody asks a store that is away");
        await back();
        await until(() => lab.instances.every(({ limiter }) => limiter.status === "up"), "the store to be back");
        // What is open counts again, at all of them.
        const open = lab.open;
        await until(async () => {
          return await first!.limiter.openEverywhere("192.0.2.7").catch(() => -1) === open;
        }, "all to be counted again");
        if (open >= LIMIT) assertEquals(await lab.take(1), 0);
        for (const instance of lab.instances) instance.give();
        await lab.heal();
        for (const { statuses } of lab.instances) {
          assertEquals(statuses.filter((it, at) => it === statuses[at - 1]), [], "each change is told once");
        }
        for (const instance of lab.instances) instance.give();
        assertEquals(lab.instances.map(({ limiter }) => limiter.stats().open), [0, 0]);
        await lab.close();
        assertEquals(await lab.keys(), [], name);
      }),
    );
  });
}

/** Answers that are on their way. */
const late: Promise<unknown>[] = [];

/** Ways for the store to be away when a limiter starts. */
const STARTS: Readonly<Record<string, Send>> = {
  "refuses": () => Promise.reject(new Error("refused")),
  "never answers": () => new Promise(() => {}),
  "answers late": () => {
    const answer = new Promise((resolve) => setTimeout(resolve, 2 * SHORT.deadlineMs, 0));
    late.push(answer);
    return answer;
  },
};

testUnless(
  noRedis,
  "a limiter that starts without its store follows onStoreDown, and shares when it is there",
  async () => {
    await using redis = await RunningRedis.start();
    await using client = await CLIENTS.ioredis!({ port: redis.port });
    const tries = Object.entries(STARTS).flatMap(([name, away]) =>
      (["local", "open", "closed"] as const).map(async (onStoreDown) => {
        let send = away;
        const options = { name: `start-${onStoreDown}-${name.replaceAll(" ", "-")}`, onStoreDown, ...SHORT };
        await using limiter = new SharedLimiter({ maxPerClient: LIMIT }, {
          send: (...args) => send(...args),
          ...options,
        });
        await until(() => limiter.status === "down", `${name}: the store to count as away`);
        const admissions = await Promise.all(Array.from({ length: ASKED }, () => limiter.tryAccept("192.0.2.7")));
        const slots = admissions.filter((it) => it.admitted);
        assertEquals(slots.length, ADMITTED[onStoreDown], `${onStoreDown}: ${name}`);
        send = client.send;
        await until(() => limiter.status === "up", "the store to be there");
        await until(async () => {
          return await limiter.openEverywhere("192.0.2.7").catch(() => -1) === slots.length;
        }, "all to be counted");
        for (const slot of slots) slot.release();
        await until(
          async () => await limiter.openEverywhere("192.0.2.7").catch(() => -1) === 0,
          "all to be given back",
        );
      })
    );
    await Promise.all(tries);
    await Promise.all(late);
  },
);
