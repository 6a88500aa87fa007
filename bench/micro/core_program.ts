/**
 * Times the work of the core, in a process of its own, for a library of choice.
 *
 *   deno run -A bench/micro/core_program.ts
 *
 * Prints {@linkcode CoreTimes} as JSON.
 *
 * @module
 */

import { printLine } from "../lib/commands.ts";
import { loadCore } from "../lib/library.ts";
import { mapBaseline } from "../lib/map_baseline.ts";
import { median } from "../lib/statistics.ts";
import { acceptAndRelease, acceptAndReleaseByMap, ADDRESSES, CLIENTS, refuse } from "./core_work.ts";

/** Nanoseconds for a connection, by work. */
export type CoreTimes = Readonly<Record<CoreWork, number>>;
export type CoreWork = "map, IPv4" | "accept + release, IPv4" | "map, IPv6" | "accept + release, IPv6" | "refuse";

/** Milliseconds in which the code is optimised, and in which it is timed. */
const WARM_UP = 200;
const WINDOW = 300;

/** The median of many passes, so that a pass with a collection of garbage or another process in it does not count. */
function time(work: () => void): number {
  const times: number[] = [];
  const start = performance.now();
  for (let now = start; now < start + WARM_UP + WINDOW;) {
    const before = now;
    work();
    now = performance.now();
    if (now > start + WARM_UP) times.push(now - before);
  }
  return median(times) * 1e6 / CLIENTS;
}

const { Limiter } = await loadCore();
const full = new Limiter({ maxPerClient: 1 });
full.accept("10.0.0.1");
const { IPv4, IPv6 } = ADDRESSES;
const [map, limiter] = [mapBaseline(100), new Limiter()];
printLine(
  {
    "map, IPv4": time(() => acceptAndReleaseByMap(map, IPv4)),
    "accept + release, IPv4": time(() => acceptAndRelease(limiter, IPv4)),
    "map, IPv6": time(() => acceptAndReleaseByMap(map, IPv6)),
    "accept + release, IPv6": time(() => acceptAndRelease(limiter, IPv6)),
    "refuse": time(() => refuse(full, "10.0.0.1")),
  } satisfies CoreTimes,
);
