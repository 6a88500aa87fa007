/**
 * Failures of the store itself.
 *
 * @module
 */

import { assert, assertRejects, assertStrictEquals } from "@std/assert";
import { CLUSTER_CLIENTS, type Connect } from "./clients.ts";
import { dead, type Failure, fill, type Seen, seen, SLACK, soon } from "./failure.ts";
import { Lab, LIMIT, type Pace, until } from "./lab.ts";
import { RunningRedis } from "./running_redis.ts";
import { SmallCluster } from "./small_cluster.ts";

async function killed(pace: Pace, persistent: boolean): Promise<Seen> {
  await using lab = await Lab.start({ pace, persistent });
  await fill(lab);
  await lab.redis.kill();
  for (const instance of lab.instances) await lab.down(instance);
  assertStrictEquals(await lab.take(1), 0);
  await lab.redis.restart();
  const since = performance.now();
  await until(async () => {
    await lab.take(LIMIT);
    return lab.instances.every(({ limiter }) => limiter.status === "up");
  }, "the store to be there again");
  await lab.take(LIMIT);
  const { over } = lab;
  // Whoever holds too much gives it back; from then on all is exact.
  for (const instance of lab.instances) instance.give();
  return await seen(lab, since, over);
}

async function moved(cluster: SmallCluster, pace: Pace, connect: Connect): Promise<Seen> {
  await using lab = await Lab.start({ pace, port: cluster.masters[0]!.port, connect });
  await fill(lab);
  const all = await Promise.all(
    cluster.masters.map((it) => it.ask("KEYS", `connlimit:${lab.name}:*`) as Promise<string[]>),
  );
  const keys = all.flat();
  assertStrictEquals(keys.length, 2, "a client, and who is alive");
  for (const key of keys) {
    const before = await cluster.masterOf(key);
    await cluster.move(key);
    assert(await cluster.masterOf(key) !== before);
    await assertRejects(() => before.ask("HGETALL", key), Error, "MOVED");
  }
  assertStrictEquals(await lab.take(LIMIT), 0);
  lab.instances[1]!.give(2);
  return await seen(lab);
}

/** Those of the store, and of all who ask it. */
export const STORE_FAILURES: readonly Failure[] = [
  {
    name: "an instance dies without a word",
    over: 0,
    heals: dead,
    async run({ pace, redis }) {
      await using lab = await Lab.start({ pace, redis });
      await fill(lab);
      lab.relays[0]!.swallow();
      lab.instances.shift();
      assertStrictEquals(await lab.take(1), 0);
      return await seen(lab);
    },
  },
  {
    name: "FLUSHALL",
    over: LIMIT / 2,
    heals: soon,
    async run({ pace }) {
      await using lab = await Lab.start({ pace });
      await fill(lab);
      await lab.redis.ask("FLUSHALL");
      const since = performance.now();
      const [first] = lab.instances;
      await lab.take(LIMIT, first);
      const { over } = lab;
      // Soon the other, of which nobody has asked anything, has said again what it holds.
      await until(async () => {
        first!.give();
        return await lab.take(LIMIT, first) === LIMIT / 2;
      }, "the counts to be there again");
      for (const instance of lab.instances) instance.give();
      return await seen(lab, since, over);
    },
  },
  { name: "kill -9 of a store that forgets", over: LIMIT, heals: soon, run: ({ pace }) => killed(pace, false) },
  { name: "kill -9 of a store that remembers", over: 0, heals: soon, run: ({ pace }) => killed(pace, true) },
  {
    name: "a store that stands still for longer than an instance may be silent",
    over: 0,
    heals: soon,
    async run({ pace }) {
      await using lab = await Lab.start({ pace });
      await fill(lab);
      lab.redis.freeze();
      lab.instances[0]!.give(1);
      const start = performance.now();
      // The one that was given back may be handed on, if a question is on its way that says it is held.
      assert(await lab.take(2) <= 1, "nobody gets what the store has not granted");
      assert(performance.now() - start < pace.deadlineMs + SLACK, "an answer comes by the deadline");
      await new Promise((resolve) => setTimeout(resolve, pace.deadMs * 2));
      lab.redis.resume();
      return await seen(lab);
    },
  },
  {
    name: "a failover to a replica",
    over: LIMIT,
    heals: soon,
    async run({ pace }) {
      await using lab = await Lab.start({ pace });
      await using replica = await RunningRedis.start({ replicaOf: lab.redis.port });
      await until(async () => {
        using observer = await replica.observe();
        return await observer.info("master_link_status") === "up";
      }, "the replica to have all");
      await fill(lab);
      await assertRejects(() => replica.ask("SET", "key", "value"), Error, "READONLY");
      await lab.redis.kill();
      await replica.ask("REPLICAOF", "NO", "ONE");
      const since = performance.now();
      for (const relay of lab.relays) [relay.target] = [replica.port, relay.cut()];
      for (const instance of lab.instances) instance.limiter.resync();
      await lab.up();
      await lab.take(LIMIT);
      const { over } = lab;
      for (const instance of lab.instances) instance.give();
      return await seen(lab, since, over);
    },
  },
  {
    name: "a Cluster whose slots move",
    over: 0,
    heals: soon,
    async run({ pace }) {
      await using cluster = await SmallCluster.start();
      const seen = await Promise.all(Object.values(CLUSTER_CLIENTS).map((connect) => moved(cluster, pace, connect)));
      return {
        over: Math.max(...seen.map(({ over }) => over)),
        healed: Math.max(...seen.map(({ healed }) => healed)),
      };
    },
  },
  {
    name: "a key of another type",
    over: 0,
    heals: soon,
    async run({ pace, redis }) {
      await using lab = await Lab.start({ pace, redis });
      await lab.hold(2);
      const keys = await lab.keys();
      for (const key of keys) await redis.ask("SET", key, "not a count");
      assertStrictEquals(await lab.take(1), 0);
      await redis.ask("DEL", ...keys);
      return await seen(lab);
    },
  },
];
