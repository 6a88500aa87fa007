/**
 * Whether processes on several runtimes, with several clients of Redis, share a limit exactly.
 *
 * @module
 */

import { Child } from "../../bench/lib/child.ts";
import type { RuntimeName } from "../../testing/runtimes.ts";
import { RunningRedis } from "../../tests/support/redis/running_redis.ts";
import { LEVELS, type SharedLevelName } from "./levels.ts";
import type { Shared } from "./sharer.ts";

/** The processes, each with another client, as far as there are as many. */
const PROCESSES: readonly [runtime: RuntimeName, client: string][] = [
  ["Deno", "redis"],
  ["Deno", "ioredis"],
  ["Bun", "Bun.RedisClient"],
  ["Node", "iovalkey"],
];

/** What was seen at one level. */
export interface Exactness {
  readonly max: number;
  /** The most of one key that were open in all processes together. */
  readonly most: number;
  /** How much of the limits was used, from when all processes ran. */
  readonly used: number;
  readonly admitted: number;
  readonly refused: number;
  readonly unhandled: number;
  /** Keys that were left when all processes had ended. */
  readonly left: readonly string[];
}

/** Measures for so many milliseconds, in which each connection is open for `holdMs` on average. */
export async function measureExactness(name: SharedLevelName, ms: number, holdMs: number): Promise<Exactness> {
  const level = LEVELS[name];
  await using redis = await RunningRedis.start();
  await using counted = await RunningRedis.start();
  const running = PROCESSES.map(([runtime, client]) =>
    Child.result<Shared>(
      new URL("sharer.ts", import.meta.url),
      [name, client, redis.port, counted.port, ms, holdMs],
      { runtime },
    )
  );
  let done = false;
  const all = Promise.all(running).finally(() => done = true);
  all.catch(() => {});
  const keys = Array.from({ length: level.keys }, (_, key) => key + 1);
  const samples: number[] = [];
  using observer = await counted.observe();
  while (!done) {
    const open = (await observer.ask("MGET", ...keys) as (string | null)[]).map(Number);
    samples.push(open.reduce((sum, it) => sum + it) / (level.max * level.keys));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const seen = await all;
  const sum = (of: (shared: Shared) => number) => seen.reduce((total, shared) => total + of(shared), 0);
  // While processes start and end there is less demand.
  const first = samples.findIndex((used) => used > 0.9);
  const steady = samples.slice(first, first + Math.floor(0.7 * ms / 10));
  return {
    max: level.max,
    most: Math.max(...seen.map(({ most }) => most)),
    used: first < 0 ? 0 : steady.reduce((total, used) => total + used) / steady.length,
    admitted: sum(({ admitted }) => admitted),
    refused: sum(({ refused }) => refused),
    unhandled: sum(({ unhandled }) => unhandled),
    left: await redis.ask("KEYS", "*") as string[],
  };
}
