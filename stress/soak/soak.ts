/**
 * The soak of one runtime's servers.
 *
 * Once a minute everybody leaves and the servers come to rest: so a leak shows in the minute in which it has happened, and
 * memory is compared between moments that are alike.
 *
 * @module
 */

import { setTimeout as sleep } from "node:timers/promises";
import type { RuntimeName } from "../../testing/runtimes.ts";
import { Child } from "../../bench/lib/child.ts";
import type { Counts } from "./traffic.ts";
import { type Descriptors, descriptorsOf } from "./descriptors.ts";
import type { Memory } from "./rest_memory.ts";
import type { Target, Watches } from "./soaked_servers.ts";

/** How long, how, and with which chances. */
export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  /** Visits a second to each server. */
  readonly rate: number;
  /** The same without limits, to tell what is the runtime's. */
  readonly bare: boolean;
}

/** A minute: what was at its end, after everybody had left. */
export interface Minute {
  readonly minute: number;
  /** The most that was resident under way, in bytes. */
  readonly rssUnderWay: number;
  /** Milliseconds until nothing was open any more. */
  readonly rested: number;
  /** What was still open, when it was given up waiting. */
  readonly open: Readonly<Record<string, number>>;
  readonly clients: number;
  readonly descriptors: Descriptors | undefined;
  /** WebSockets whose descriptors the runtime keeps, since they never opened. */
  readonly unopened: number;
  readonly memory: Memory;
}

/** What a soak has shown. */
export interface Soaked {
  readonly runtime: RuntimeName;
  readonly options: SoakOptions;
  readonly targets: readonly Target[];
  readonly before: Descriptors | undefined;
  readonly minutes: readonly Minute[];
  readonly watches: Watches;
  readonly counts: Readonly<Record<string, Counts>>;
  /** Seconds with traffic. */
  readonly seconds: number;
  /** What has ended it early. */
  readonly failure?: string;
}

/** Milliseconds until nothing must be open. On Deno it takes ten seconds to give up a WebSocket that never opens. */
const DEADLINE = 30_000;

const NOTHING: Watches = { limiters: {}, unopened: 0, rss: 0, cpu: 0 };

/** Soaks the servers of a runtime. `tell` is told of each minute. */
export async function soak(
  runtime: RuntimeName,
  options: SoakOptions,
  tell: (minute: Minute) => void,
): Promise<Soaked> {
  const ipv6 = hasIpv6();
  const { seed, rate, bare } = options;
  const args = [seed, ipv6 ? "::" : "0.0.0.0", ...bare ? ["bare"] : []];
  const v8Flags = ["--expose-gc"];
  using server = await Child.start<Target[]>(new URL("soaked_servers.ts", import.meta.url), args, { runtime, v8Flags });
  const targets = server.hello;
  const trafficArgs = [seed, rate, ipv6, JSON.stringify(targets)];
  using crowd = await Child.start(new URL("traffic.ts", import.meta.url), trafficArgs);
  const before = descriptorsOf(server.pid);
  const minutes: Minute[] = [];
  const start = performance.now();
  let seconds = 0;
  let watches = NOTHING;

  async function traffic(until: number): Promise<number> {
    const from = performance.now();
    let most = 0;
    await crowd.ask("come");
    while (performance.now() < until) {
      await sleep(Math.min(1_000, until - performance.now()));
      watches = await server.ask<Watches>("watch");
      most = Math.max(most, watches.rss);
    }
    await crowd.ask("leave");
    seconds += (performance.now() - from) / 1_000;
    return most;
  }

  async function rest(): Promise<Omit<Minute, "minute" | "rssUnderWay">> {
    const from = performance.now();
    for (;;) {
      watches = await server.ask<Watches>("watch");
      const limiters = Object.entries(watches.limiters);
      const open = Object.fromEntries(
        limiters.map(([name, { open }]) => [name, open]).filter(([, open]) => open !== 0),
      );
      const clients = limiters.reduce((sum, [, { clients }]) => sum + clients, 0);
      const descriptors = descriptorsOf(server.pid);
      const { unopened } = watches;
      const rested = performance.now() - from;
      const atRest = Object.keys(open).length === 0 && clients === 0 &&
        (descriptors === undefined || descriptors.sockets <= before!.sockets + unopened);
      if (atRest || rested > DEADLINE) {
        return { rested, open, clients, descriptors, unopened, memory: await server.ask<Memory>("memory") };
      }
      await sleep(200);
    }
  }

  let failure: string | undefined;
  try {
    for (let minute = 1; minutes.length === 0 || minute - 1 < options.minutes; minute++) {
      const end = Math.min(minute, options.minutes);
      const rssUnderWay = await traffic(start + end * 60_000);
      minutes.push({ minute: end, rssUnderWay, ...await rest() });
      tell(minutes.at(-1)!);
    }
  } catch (error) {
    failure = error instanceof Error ? error.message : `${error}`;
  }
  const counts = await crowd.ask<Soaked["counts"]>("counts").catch(() => ({}));
  return { runtime, options, targets, before, minutes, watches, counts, seconds, ...failure && { failure } };
}

/** Whether `::1` can be listened on, and so `::`. */
function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}
