/**
 * A failure between limiters and their store, and what is seen of it.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { type Lab, LIMIT, type Pace, SHORT } from "./lab.ts";

/** What was seen. */
export interface Seen {
  /** How many connections more than the limit were open, at most. */
  readonly over: number;
  /** Milliseconds until the limit could be reached again. */
  readonly healed: number;
}

/** One kind of failure. */
export interface Failure {
  readonly name: string;
  /** The most that `over` may be. */
  readonly over: number;
  /** The most that `healed` may be. */
  readonly heals: (pace: Pace) => number;
  readonly run: (pace: Pace) => Promise<Seen>;
}

/** Time for a busy machine, in milliseconds. */
export const SLACK = 1_500;
/** Within two heartbeats. */
export const soon = ({ heartbeatMs, deadlineMs }: Pace): number => 2 * (heartbeatMs + deadlineMs) + SLACK;
/** Until an instance counts as dead, and others have noticed. */
export const dead = ({ heartbeatMs, deadMs, deadlineMs }: Pace): number =>
  deadMs + 4 * (heartbeatMs + deadlineMs) + SLACK;

/** What is seen of a failure that ended at `since`, by default now. */
export async function seen(lab: Lab, since: number = performance.now(), over?: number): Promise<Seen> {
  await lab.heal();
  return { healed: performance.now() - since, over: over ?? lab.over };
}

/** Half of the limit at the first limiter, and the rest at the second. */
export async function fill(lab: Lab): Promise<void> {
  const [first, second] = lab.instances;
  assertEquals([await lab.take(LIMIT / 2, first), await lab.take(LIMIT, second)], [LIMIT / 2, LIMIT / 2]);
}

/** What is wrong with what was seen, if anything. */
export function judge({ name, over, heals }: Failure, seen: Seen, pace: Pace = SHORT): string[] {
  return [
    ...seen.over > over ? [`${name}: ${seen.over} over the limit, at most ${over}`] : [],
    ...seen.healed > heals(pace) ? [`${name}: healed in ${seen.healed} ms, at most ${heals(pace)}`] : [],
  ];
}
