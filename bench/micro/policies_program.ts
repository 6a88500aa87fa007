/**
 * Times the core under limits with policies, in a process of its own.
 *
 *   deno run -A bench/micro/policies_program.ts
 *
 * Prints {@linkcode PolicyTimes} as JSON.
 *
 * @module
 */

import { Limiter, type LimitsOptions } from "../../mod.ts";
import { printLine } from "../lib/commands.ts";
import { median } from "../lib/statistics.ts";
import { acceptAndRelease, ADDRESSES, CLIENTS } from "./core_work.ts";

export type Policy = "none" | "rate, known clients" | "rate, new clients" | "fairShare" | "dryRun";

/** Nanoseconds for accept + release, by policy. */
export type PolicyTimes = Readonly<Record<Policy, number>>;

const maxTotal = 1_000_000;

/** The limits admit all. A rate knows its clients from the pass before, or has forgotten them by the next. */
const LIMITS: Readonly<Record<Policy, LimitsOptions>> = {
  "none": { maxTotal },
  "rate, known clients": { maxTotal, rate: { perSecond: 1, burst: 1_000_000 } },
  "rate, new clients": { maxTotal, rate: { perSecond: 100_000, burst: 100 } },
  "fairShare": { maxTotal, fairShare: true },
  "dryRun": { maxTotal, dryRun: true },
};

/** Passes over the policies in turns, so that all have the same share of noise. */
const WARM_UP = 40;
const ROUNDS = 160;

const limiters = Object.entries(LIMITS).map(([policy, limits]) => ({
  policy,
  limiter: new Limiter(limits),
  times: [] as number[],
}));
for (let round = 0; round < WARM_UP + ROUNDS; round++) {
  for (const { limiter, times } of limiters) {
    const start = performance.now();
    acceptAndRelease(limiter, ADDRESSES.IPv4);
    if (round >= WARM_UP) times.push((performance.now() - start) * 1e6 / CLIENTS);
  }
}
printLine(Object.fromEntries(limiters.map(({ policy, times }) => [policy, median(times)])) as PolicyTimes);
