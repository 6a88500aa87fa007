/**
 * Trials of workers and child processes that share limits by a store in this process.
 *
 * @module
 */

import { fork } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { LEVELS } from "../../../stress/shared/levels.ts";
import type { Slot } from "@connlimit/connlimit";
import { StoreLimiter } from "@connlimit/connlimit/shared";
import { eventually } from "../net.ts";
import { isDeno } from "../platform.ts";
import { STARTS, startThread } from "./ends.ts";
import { Sharers } from "./sharers.ts";
import { SHARING, take } from "./taking.ts";

const LIMIT = 10;

/** The part of a limit that is in use where more would be open than may be. */
export const MOST_OF_IT = 0.8;

/** How each kind of worker and process ends: it is ended from outside, or does what is said. */
const ENDINGS: Readonly<Record<string, readonly ("kill" | "fail" | "exit" | "leave")[]>> = {
  "a worker of node:worker_threads": ["kill", "fail", "exit"],
  "a child process": ["kill", "leave"],
  "a worker of node:cluster": ["kill"],
  "a worker of the web": ["kill", "fail", "exit"],
};

/** What was seen of one that has ended. */
export interface SeenEnd {
  readonly how: string;
  readonly ending: string;
  /** What it got, what this thread got, what was left there, what this thread got then, also before the end, and after it. */
  readonly taken: readonly number[];
  /** What a child process that has left the channel has seen of its limiter. */
  readonly code?: unknown;
}

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

/** What was seen where somebody was busy. */
export type SeenBusy = Readonly<Record<"first" | "attempts" | "asked" | "has" | "most", number>> & {
  readonly more: readonly number[];
  readonly back: string;
};

/** The trials. Their results can be sent from one process to another. */
export const TRIALS = {
  /** Workers and child processes have slots, end, and this thread has their slots. */
  async ended(): Promise<readonly SeenEnd[]> {
    await using sharers = new Sharers();
    // It would take nobody for dead whose end it is not told.
    await using here = new StoreLimiter({ maxPerClient: LIMIT }, sharers.store, { ...SHARING, deadMs: 60_000 });
    await eventually(() => here.status === "up", "the store");
    const endings = Object.entries(STARTS).flatMap(([how, start]) => (
      ENDINGS[how]!.map((ending) => ({ how, ending, start }))
    ));
    return await Promise.all(endings.map(async ({ how, ending, start }, client): Promise<SeenEnd> => {
      const [other] = await sharers.start(1, start);
      const held: Slot[] = [];
      const takes = async (count: number) => {
        const slots = await take(here, count, client);
        held.push(...slots);
        return slots.length;
      };
      const taken = [await other!.takes(7, client), await takes(7), await other!.does("give", 2)];
      // What was refused a moment before is not asked for again at once.
      await eventually(async () => await takes(1) >= 0 && held.length === 5, "the slots that were given back");
      taken.push(await takes(1));
      const exited = new Promise((resolve) => other!.started.channel.on?.("exit", resolve));
      if (ending === "kill") await other!.started.kill();
      else other!.tell(ending);
      if (ending === "leave") {
        await new Promise((resolve) => other!.started.channel.on!("disconnect", resolve));
        // Longer than a refusal is remembered.
        await wait(70);
        taken.push(await takes(1));
      }
      await eventually(async () => await takes(1) >= 0 && held.length === LIMIT, `the slots of ${how} by ${ending}`);
      taken.push(await takes(1));
      for (const slot of held) slot.release();
      return { how, ending, taken, ...ending === "leave" && { code: await exited } };
    }));
  },

  /**
   * Three workers are tried for exactness, and then where somebody is busy. On a busy machine they may need some time until they
   * use what they may have.
   */
  async sharing(): Promise<{ readonly tries: readonly (readonly SeenLevel[])[]; readonly busy: SeenBusy }> {
    const names = Object.keys(LEVELS);
    await using sharers = new Sharers(names);
    await sharers.start(3, startThread);
    const tries: SeenLevel[][] = [];
    for (let ms = 500; ms < 5_000; ms *= 2) {
      const levels = await exactness(sharers, ms);
      tries.push(levels);
      if (levels.every(({ used }) => used > MOST_OF_IT)) break;
    }
    return { tries, busy: await busy(sharers) };
  },
};

/** Workers open and close connections at every level for so long. Memory that they share has the truth. */
export async function exactness({ all, stores }: Sharers, ms: number): Promise<SeenLevel[]> {
  const levels = Object.entries(LEVELS);
  const counted = new Int32Array(new SharedArrayBuffer(4 * 2 * 12 * levels.length));
  for (const { started } of all) started.channel.postMessage!({ memory: counted.buffer });
  /** What is open at each key of a level, or was at most. */
  const at = (level: number, most: 0 | 1) =>
    Array.from({ length: levels[level]![1].keys }, (_, key) => counted[2 * (12 * level + key) + most]!);
  const sum = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
  let running = true;
  const done = Promise.all(all.map((worker) => worker.does("crowd", ms, 60)));
  const samples: number[][] = [];
  done.finally(() => running = false);
  for (; running; await wait(5)) samples.push(levels.map((_, level) => sum(at(level, 0))));
  await done;
  await eventually(() => stores.every(({ keys }) => keys === 0), "nothing to be left");
  const steady = samples.slice(0.3 * samples.length, 0.7 * samples.length);
  return levels.map(([name, { max, keys }], level) => ({
    ...{ name, max, most: Math.max(...at(level, 1)), left: sum(at(level, 0)) },
    used: sum(steady.map((open) => open[level]!)) / steady.length / (max * keys),
  }));
}

/** One floods, then the thread that has the store is busy, then the other is, longer than one that is dead would have slots. */
async function busy({ all }: Sharers): Promise<SeenBusy> {
  const [one, other] = all;
  const first = await one!.takes(LIMIT);
  const [attempts, asked] = await other!.does<number[]>("flood", 150);
  await one!.does("give", 6);

  const taking = other!.does("take", LIMIT);
  await wait(1);
  for (const end = performance.now() + 320; performance.now() < end;);
  // Some may have come before. What came too late was given back.
  let has = await taking;
  await eventually(async () => await other!.does<string>("status") === "up", "the store to be there again");
  await eventually(async () => (has += await other!.does("take", 1)) >= 6, "the rest of the limit");
  const more = [await other!.does("take", LIMIT), await one!.does("take", 1)];

  await other!.does("give", 6);
  const blocked = one!.does<string>("block", 400);
  let most = 0;
  for (const end = performance.now() + 350; performance.now() < end; await wait(20)) {
    most = Math.max(most, await other!.does("take", LIMIT));
    await other!.does("give", LIMIT);
  }
  return { first, attempts: attempts!, asked: asked!, has, more, most, back: await blocked };
}

type Trials = typeof TRIALS;

/** Runs a trial. On Deno in a process of its own, where types are not checked for each worker. */
export async function trial<N extends keyof Trials>(name: N): Promise<Awaited<ReturnType<Trials[N]>>> {
  if (!isDeno) return await (TRIALS[name] as () => Promise<never>)();
  const main = fileURLToPath(new URL("trial_main.ts", import.meta.url));
  const child = fork(main, [name], { stdio: ["ignore", "inherit", "pipe", "ipc"] });
  // Deno prints the errors of workers, also those that are part of a trial.
  let printed = "";
  child.stderr!.on("data", (text) => printed += text);
  const result = await new Promise((resolve, reject) => {
    child.on("message", resolve);
    child.on("exit", (code) => reject(new Error(`the trial ended with ${code}: ${printed}`)));
  });
  child.kill();
  await new Promise((resolve) =>
    child.exitCode === null && child.signalCode === null ? child.on("exit", resolve) : resolve(0)
  );
  return result as Awaited<ReturnType<Trials[N]>>;
}
