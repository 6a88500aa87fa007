/**
 * What the tests of shared limits stand on: servers of Redis that fail in every way, and the clients of the documentation.
 *
 * @module
 */

import { setTimeout as wait } from "node:timers/promises";
import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { CLIENTS, type Connect, type Send } from "./support/redis/clients.ts";
import { Relay } from "./support/redis/relay.ts";
import { noRedis, RunningRedis, STORES } from "./support/redis/running_redis.ts";
import { eventually } from "./support/net.ts";
import { testUnless } from "./support/test_unless.ts";

/** Sets a field, and replies with all that a script can reply with. */
const SCRIPT =
  "redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) return {1, 'two', {3, {'four'}}, redis.call('TTL', KEYS[1])}";
const REPLY = [1, "two", [3, ["four"]], -1];
const evaluate = (key: string, value = "v") => ["EVAL", SCRIPT, "1", key, "f", value];
const UNKNOWN_SHA = "f".repeat(40);

/** As text, since a client may reply with integers as it likes. */
const textOf = (reply: unknown) =>
  JSON.stringify(reply, (_, value) => typeof value === "bigint" ? Number(value) : value);

async function withClient(connect: Connect, port: number, use: (send: Send) => Promise<void>): Promise<void> {
  await using client = await connect({ port });
  await use(client.send);
}

for (const program of noRedis ? ["redis-server"] : STORES) {
  testUnless(noRedis, `each client sends scripts to ${program}, and says which it does not know`, async () => {
    await using redis = await RunningRedis.start({ program });
    for (const [name, connect] of Object.entries(CLIENTS)) {
      await withClient(connect, redis.port, async (send) => {
        assertEquals(textOf(await send(evaluate(name), name)), textOf(REPLY), name);
        const error = await assertRejects(() => send(["EVALSHA", UNKNOWN_SHA, "1", name], name));
        assert(/NOSCRIPT|NoScript/i.test(String(error)), `${name}: ${error}`);
        assertEquals(await redis.ask("HGETALL", name), ["f", "v"], name);
      });
    }
  });
}

testUnless(noRedis, "a user who may only run scripts on a prefix can do nothing else", async () => {
  await using redis = await RunningRedis.start();
  await redis.ask(
    "ACL",
    "SETUSER",
    "limits",
    "on",
    ">secret",
    "~connlimit:*",
    "-@all",
    "+eval",
    "+evalsha",
    "+hset",
    "+ttl",
  );
  for (const [name, connect] of Object.entries(CLIENTS)) {
    // Clients say who they are first, which needs no permission, and may ask more, whose refusal they bear.
    await using client = await connect({ port: redis.port, username: "limits", password: "secret" });
    const key = `connlimit:${name}`;
    assertEquals(textOf(await client.send(evaluate(key), key)), textOf(REPLY), name);
    await assertRejects(() => client.send(evaluate("other"), "other"), Error, "NOPERM", name);
    await assertRejects(() => client.send(["GET", key], key), Error, "NOPERM", name);
  }
});

testUnless(noRedis, "a server that is killed has its data again or has none", async () => {
  for (const persistent of [false, true]) {
    await using redis = await RunningRedis.start({ persistent });
    await redis.ask("SET", "key", "value");
    await redis.kill();
    await assertRejects(() => redis.observe());
    await redis.restart();
    assertStrictEquals(await redis.ask("GET", "key"), persistent ? "value" : null);
  }
});

testUnless(noRedis, "a relay loses, delays, repeats and answers commands", async () => {
  await using redis = await RunningRedis.start();
  await using relay = await Relay.start(redis.port);
  const only = (command: string, fate: ReturnType<Relay["judge"]>) => {
    relay.judge = ([it]) => it === command ? fate : undefined;
  };
  await withClient(CLIENTS.ioredis!, relay.port, async (send) => {
    only("INCR", { times: 3 });
    assertEquals(await send(["INCR", "repeated"], "repeated"), 1);
    assertEquals(await send(["GET", "repeated"], "repeated"), "3");
    only("GET", { reply: "-LOADING Redis is loading the dataset in memory" });
    await assertRejects(() => send(["GET", "repeated"], "repeated"), Error, "LOADING");
    only("INCR", { delayReply: 100 });
    let replied = false;
    const late = send(["INCR", "late"], "late").finally(() => replied = true);
    await eventually(async () => await redis.ask("GET", "late") === "1", "the command to be executed");
    assertStrictEquals(replied, false);
    assertStrictEquals(await late, 1);
    only("INCR", { unanswered: true });
    const unanswered = send(["INCR", "unanswered"], "unanswered").then(() => "answered", () => "rejected");
    await eventually(async () => await redis.ask("GET", "unanswered") === "1", "the command to be executed");
    assertStrictEquals(await Promise.race([unanswered, wait(30, "nothing")]), "nothing");
    relay.swallow();
    void send(["INCR", "lost"], "lost").catch(() => {});
    await eventually(() => relay.commands >= 7, "the command to come");
    assertStrictEquals(await redis.ask("GET", "lost"), null);
  });
});
