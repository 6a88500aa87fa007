/**
 * Trials of workers and child processes that share limits by a store in this process.
 *
 * @module
 */

import { fork } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { LEVELS } from "../../../stress/shared/levels.ts";
import { eventually } from "../net.ts";
import { isDeno } from "../platform.ts";
import { startProcess, STARTS, startThread } from "./ends.ts";
import { Sharers } from "./sharers.ts";

const LIMIT = 10;

/** What was seen of a level. */
export interface SeenLevel {
  readonly name: string;
  readonly max: number;
  /** The most that were open at any key. */
  readonly most: number;
  /** The part of the limit that was used. */
  readonly used: number;
  readonly left: number;
}

/** The trials. Their results can be sent from one process to another. */
export const TRIALS = {
  /** One of two is ended. Its slots are the other's. */
  async ended(
    how: string,
  ): Promise<{ readonly taken: readonly number[]; readonly tookMs: number; readonly keys: number }> {
    await using sharers = new Sharers();
    const [one, other] = await sharers.start(2, STARTS[how]!);
    const taken = [await one!.does("take", 7), await other!.does("take", 7), await one!.does("give", 2)];
    let has = 3;
    // What was refused a moment before is not asked for again at once.
    await eventually(async () => (has += await other!.does("take", 1)) === 5, "the slots that were given back");
    taken.push(await other!.does("take", 1));
    await one!.started.kill();
    const from = performance.now();
    await eventually(async () => (has += await other!.does("take", 1)) === LIMIT, "the slots of the other");
    const tookMs = performance.now() - from;
    taken.push(await other!.does("take", 1), await other!.does("give", LIMIT));
    await other!.does("close");
    return { taken, tookMs, keys: sharers.store.keys };
  },

  /** Four workers open and close connections at every level for so long. Memory that they share has the truth. */
  async exactness(ms: string): Promise<readonly SeenLevel[]> {
    const levels = Object.entries(LEVELS);
    await using sharers = new Sharers(levels.map(([name]) => name));
    const workers = await sharers.start(4, startThread);
    const counted = new Int32Array(new SharedArrayBuffer(4 * 2 * 12 * levels.length));
    for (const { started } of workers) started.channel.postMessage!({ memory: counted.buffer });
    /** What is open at each key of a level, or was at most. */
    const at = (level: number, most: 0 | 1) =>
      Array.from({ length: levels[level]![1].keys }, (_, key) => counted[2 * (12 * level + key) + most]!);
    const sum = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
    let running = true;
    const done = Promise.all(workers.map((worker) => worker.does("crowd", Number(ms), 60)));
    const samples: number[][] = [];
    done.finally(() => running = false);
    for (; running; await wait(5)) samples.push(levels.map((_, level) => sum(at(level, 0))));
    await done;
    await eventually(() => sharers.stores.every(({ keys }) => keys === 0), "nothing to be left");
    const steady = samples.slice(0.3 * samples.length, 0.7 * samples.length);
    return levels.map(([name, { max, keys }], level) => ({
      ...{ name, max, most: Math.max(...at(level, 1)), left: sum(at(level, 0)) },
      used: sum(steady.map((open) => open[level]!)) / steady.length / (max * keys),
    }));
  },

  /** One floods, then the thread that has the store is busy, then the other is, longer than one that is dead would have slots. */
  async busy(): Promise<Readonly<Record<string, unknown>>> {
    await using sharers = new Sharers();
    const [one, other] = await sharers.start(2, startProcess);
    const first = await one!.does("take", LIMIT);
    const [attempts, asked] = await other!.does<number[]>("flood", 400);
    await one!.does("give", 6);

    const taking = other!.does("take", LIMIT);
    await wait(1);
    for (const end = performance.now() + 600; performance.now() < end;);
    // Some may have come before. What came too late was given back.
    let has = await taking;
    await eventually(async () => await other!.does<string>("status") === "up", "the store to be there again");
    await eventually(async () => (has += await other!.does("take", 1)) >= 6, "the rest of the limit");
    const more = [await other!.does("take", LIMIT), await one!.does("take", 1)];

    await other!.does("give", 6);
    const blocked = one!.does<string>("block", 1_000);
    let most = 0;
    for (const end = performance.now() + 900; performance.now() < end; await wait(20)) {
      most = Math.max(most, await other!.does("take", LIMIT));
      await other!.does("give", LIMIT);
    }
    return { first, attempts, asked, has, more, most, back: await blocked };
  },
};

type Trials = typeof TRIALS;

/** Runs a trial. On Deno in a process of its own, where types are not checked for each worker. */
export async function trial<N extends keyof Trials>(
  name: N,
  ...args: Parameters<Trials[N]>
): Promise<Awaited<ReturnType<Trials[N]>>> {
  if (!isDeno) return await (TRIALS[name] as (...args: unknown[]) => Promise<never>)(...args);
  const child = fork(fileURLToPath(new URL("trial_main.ts", import.meta.url)), [name, ...args]);
  const result = await new Promise((resolve, reject) => {
    child.on("message", resolve);
    child.on("exit", (code) => reject(new Error(`the trial ended with ${code}`)));
  });
  child.kill();
  await new Promise((resolve) =>
    child.exitCode === null && child.signalCode === null ? child.on("exit", resolve) : resolve(0)
  );
  return result as Awaited<ReturnType<Trials[N]>>;
}
