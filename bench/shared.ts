/**
 * What a shared limit costs on a Redis of this machine, beside the plainest commands by the same client and beside a design
 * with a lease for each connection.
 *
 * @module
 */

import { SharedLimiter } from "@connlimit/connlimit/redis";
import { CLIENTS, type ConnectedClient } from "../tests/support/redis/clients.ts";
import type { Observer } from "../tests/support/redis/observer.ts";
import { noRedis, RunningRedis } from "../tests/support/redis/running_redis.ts";
import { printRatio, printRow } from "./lib/rows.ts";
import { quantile } from "./lib/statistics.ts";

type Work = (n: number) => Promise<unknown>;

const IN_FLIGHT = 100;
const CLIENT = "redis";

/** As `redis-semaphore` has it: a member for each connection, whose score is the time of its lease. */
const LEASE = `redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[4], ARGV[2]) redis.call('PEXPIRE', KEYS[1], 60000) return 1`;

const addressOf = (n: number) => `10.${n >> 16 & 255}.${n >> 8 & 255}.${n & 255}`;

/** Measures all of it, so many times. */
export async function benchShared(rounds: number): Promise<void> {
  if (noRedis) return console.log(`shared: ${noRedis}`);
  await using redis = await RunningRedis.start();
  using observer = await redis.observe();
  await using client = await CLIENTS[CLIENT]!({ port: redis.port });
  const limiter = new SharedLimiter({ maxPerClient: 10 }, { send: client.send, name: "bench" });
  const one = new SharedLimiter({ maxPerClient: Infinity, maxTotal: 1_000 }, { send: client.send, name: "one" });
  const accept = (from: SharedLimiter): Work => async (n) => {
    const slot = await from.tryAccept({ remoteAddr: { transport: "tcp", hostname: addressOf(n) } });
    if (slot.admitted) slot.release();
  };
  const works = worksOf(client);
  const kinds = ["ping", "accept", "counter", "pair", "lease", "total"] as const;
  const seen = Object.fromEntries(kinds.map((kind) => [kind, [] as number[]])) as Record<
    typeof kinds[number],
    number[]
  >;
  const cpu = { lease: [] as number[], pair: [] as number[] };
  await rate(accept(limiter), 300);
  for (let i = 0; i < rounds; i++) {
    seen.ping.push(await p50(works.ping));
    seen.accept.push(await p50(accept(limiter)));
    seen.counter.push((await rate(works.counter)).perSecond);
    seen.total.push((await rate(accept(one))).perSecond);
    for (const [kind, work] of [["lease", works.lease], ["pair", accept(limiter)]] as const) {
      const before = await cpuOf(observer);
      const { perSecond, done } = await rate(work);
      seen[kind].push(perSecond);
      cpu[kind].push(1_000_000 * (await cpuOf(observer) - before) / done);
    }
  }
  printRatio("shared, accept p50 to PING", seen.accept, seen.ping, "ms", { atMost: 1.3 });
  printRatio("shared, pairs per second to INCR + DECR", seen.pair, seen.counter, "/s", { atLeast: 0.8 });
  printRatio("shared, pairs per second of one key to many", seen.total, seen.pair, "/s", { atLeast: 20 });
  printRatio("shared, CPU of the store per pair to leases", cpu.pair, cpu.lease, "µs", { atMost: 1 });
  isUp(limiter, one);
  await limiter.close();
  await one.close();
  await benchFlood(redis, client);
  for (const [perClient, atMost] of [[1, 1], [10, 0.6], [1_000, 0.01]] as const) await benchMemory(perClient, atMost);
}

/** Without its store a limiter is fast, and its figures say nothing. */
function isUp(...limiters: readonly SharedLimiter[]): void {
  for (const { status } of limiters) if (status !== "up") throw new Error(`the store is ${status}`);
}

const CONNS = 100_000;

/** Beside sorted sets with a member for each connection. */
async function benchMemory(perClient: number, atMost: number): Promise<void> {
  const used = async (fill: (client: ConnectedClient) => Promise<SharedLimiter | undefined>) => {
    await using redis = await RunningRedis.start();
    await using client = await CLIENTS[CLIENT]!({ port: redis.port });
    using observer = await redis.observe();
    const before = Number(await observer.info("used_memory"));
    const limiter = await fill(client);
    const bytes = (Number(await observer.info("used_memory")) - before) / CONNS;
    if (limiter !== undefined) isUp(limiter);
    return bytes;
  };
  const each = async (open: (client: string, n: number) => unknown) => {
    let n = 0;
    const lane = async () => {
      for (; n < CONNS;) await open(addressOf(Math.floor(n / perClient)), n++);
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  };
  const sets = await used(async ({ send }) => {
    await each(async (address, n) => {
      const key = `z:${address}`;
      await send(["EVAL", LEASE, "1", key, `${perClient}`, crypto.randomUUID(), "0", `${1e12 + n}`], key);
    });
    return undefined;
  });
  const shared = await used(async ({ send }) => {
    const limiter = new SharedLimiter({ maxPerClient: perClient }, { send, name: "memory" });
    await each((hostname) => limiter.tryAccept({ remoteAddr: { transport: "tcp", hostname } }));
    return limiter;
  });
  const detail = `${shared.toFixed(1)} B to ${sets.toFixed(1)} B`;
  printRow(`shared, memory of a connection, ${perClient} a client`, shared / sets, "×", { atMost }, detail);
}

function worksOf({ send }: ConnectedClient): Record<"ping" | "counter" | "lease", Work> {
  return {
    ping: () => send(["PING"], ""),
    async counter(n) {
      const key = `n:${addressOf(n)}`;
      await send(["INCR", key], key);
      await send(["DECR", key], key);
    },
    async lease(n) {
      const [key, now, member] = [`z:${addressOf(n)}`, Date.now(), `${n}-${Math.random()}`];
      await send(["EVAL", LEASE, "1", key, "10", member, `${now - 10_000}`, `${now}`], key);
      await send(["ZREM", key, member], key);
    },
  };
}

/** The median of what one takes at a time, in milliseconds. */
async function p50(work: Work): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 500; i++) {
    const start = performance.now();
    await work(next++);
    times.push(performance.now() - start);
  }
  return quantile(times, 0.5);
}

let next = 0;

/** How many are done in a second, and were in all, with many at a time. */
async function rate(work: Work, ms = 700): Promise<{ perSecond: number; done: number }> {
  const start = performance.now();
  let done = 0;
  const lane = async () => {
    for (; performance.now() - start < ms; done++) await work(next++ & 0xffff);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  // Releases may still be on their way: they end before the next measurement begins.
  return { perSecond: 1_000 * done / (performance.now() - start), done };
}

async function cpuOf(observer: Observer): Promise<number> {
  const [user, system] = [await observer.info("used_cpu_user"), await observer.info("used_cpu_sys")];
  return Number(user) + Number(system);
}

/** One client at its limit, whose slots are held elsewhere, asks as often as it can. */
async function benchFlood(redis: RunningRedis, client: ConnectedClient): Promise<void> {
  await using other = await CLIENTS[CLIENT]!({ port: redis.port });
  const options = { send: client.send, name: "flood" };
  const [holder, flooded] = [
    new SharedLimiter({ maxPerClient: 10 }, { ...options, send: other.send }),
    new SharedLimiter({ maxPerClient: 10 }, options),
  ];
  const peer = { remoteAddr: { transport: "tcp", hostname: "192.0.2.7" } } as const;
  for (let i = 0; i < 10; i++) await holder.tryAccept(peer);
  await redis.ask("CONFIG", "RESETSTAT");
  const start = performance.now();
  let asked = 0;
  while (performance.now() - start < 2_000) {
    for (let i = 0; i < 100; i++) {
      if ((await flooded.tryAccept(peer)).admitted) throw new Error("the limit does not hold");
      asked++;
    }
    await new Promise((resolve) => setTimeout(resolve));
  }
  using observer = await redis.observe();
  const calls = [...await observer.calls()].filter(([name]) => /^eval/.test(name)).reduce((sum, [, n]) => sum + n, 0);
  const seconds = (performance.now() - start) / 1_000;
  isUp(holder, flooded);
  const detail = `${(asked / seconds).toFixed(0)} refused per second`;
  printRow("shared, commands per second while a client floods", calls / seconds, "/s", { atMost: 50 }, detail);
  await flooded.close();
  await holder.close();
}
