/**
 * A failure between limiters and their store, and what is seen of it.
 *
 * @module
 */

import { assertStrictEquals } from "@std/assert";
import { type Lab, LIMIT, type Pace, SHORT } from "./lab.ts";
import type { RunningRedis } from "./running_redis.ts";

/** What was seen. */
export interface Seen {
  /** How many connections more than the limit were open, at most. */
  readonly over: number;
  /** Milliseconds until the limit could be reached again. */
  readonly healed: number;
}

/** In what a failure is tried. */
export interface Trial {
  readonly pace: Pace;
  /** A server for those that do it no harm. */
  readonly redis: RunningRedis;
}

/** One kind of failure. */
export interface Failure {
  readonly name: string;
  /** The most that `over` may be. */
  readonly over: number;
  /** The most that `healed` may be. */
  readonly heals: (pace: Pace) => number;
  readonly run: (trial: Trial) => Promise<Seen>;
}

/** Time for a busy machine, in milliseconds. */
export const SLACK = 3_000;
/** Within two heartbeats. */
export const soon = ({ heartbeatMs, deadlineMs }: Pace): number => 2 * (heartbeatMs + deadlineMs) + SLACK;
/** Until an instance counts as dead, and others have noticed. */
export const dead = ({ heartbeatMs, deadMs, deadlineMs }: Pace): number =>
  deadMs + 2 * (heartbeatMs + deadlineMs) + SLACK;

/** What is seen of a failure that ended at `since`, by default now. */
export async function seen(lab: Lab, since: number = performance.now(), over?: number): Promise<Seen> {
  await lab.heal();
  return { healed: performance.now() - since, over: over ?? lab.over };
}

/** Half of the limit at the first limiter, and the rest at the second. */
export async function fill(lab: Lab): Promise<void> {
  for (const instance of lab.instances) await lab.hold(LIMIT / 2, instance);
  assertStrictEquals(await lab.take(LIMIT), 0);
}

/** What is wrong with what was seen, if anything. */
export function judge({ name, over, heals }: Failure, seen: Seen, pace: Pace = SHORT): string[] {
  return [
    ...seen.over > over ? [`${name}: ${seen.over} over the limit, at most ${over}`] : [],
    ...seen.healed > heals(pace) ? [`${name}: healed in ${seen.healed} ms, at most ${heals(pace)}`] : [],
  ];
}
