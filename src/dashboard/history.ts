/**
 * What a limiter has counted lately.
 *
 * @module
 */

import type { LimiterStats } from "../core/limiter_stats.ts";
import type { RefusalReason } from "../core/reasons.ts";
import type { DashboardHistory } from "./snapshot.ts";

/** The most samples that are kept. */
export const SAMPLES = 300;

/** The last samples of a limiter, the newest last. */
export class History {
  readonly #interval: number;
  readonly #open: number[] = [];
  readonly #refused = new Map<RefusalReason, number[]>();
  /** All refusals at the last sample. */
  #before: Map<RefusalReason, number> | undefined;

  /** @param interval Milliseconds between two samples. */
  constructor(interval: number) {
    this.#interval = interval;
  }

  /** Adds a sample. What was refused before the first one is in none. */
  add(stats: LimiterStats): void {
    const before = this.#before;
    const now = this.#before = refusals(stats);
    push(this.#open, stats.open);
    for (const [reason, count] of now) {
      const more = count - (before === undefined ? count : before.get(reason) ?? 0);
      let samples = this.#refused.get(reason);
      if (samples === undefined) {
        if (more <= 0) continue;
        this.#refused.set(reason, samples = new Array(this.#open.length - 1).fill(0));
      }
      push(samples, Math.max(0, more));
    }
  }

  /** Returns the samples, with the reasons of which there were any. */
  view(): DashboardHistory {
    const refused = [...this.#refused].filter(([, samples]) => samples.some((count) => count > 0));
    return { interval: this.#interval, open: this.#open, refused: Object.fromEntries(refused) };
  }
}

/** All refusals, and those that there would have been in a dry run. */
function refusals({ refusedBy, wouldRefuse }: LimiterStats): Map<RefusalReason, number> {
  const reasons = Object.keys(refusedBy) as RefusalReason[];
  // A limiter of the user's own may have no dry run.
  return new Map(reasons.map((reason) => [reason, refusedBy[reason] + (wouldRefuse?.[reason] ?? 0)]));
}

function push(samples: number[], sample: number): void {
  samples.push(sample);
  if (samples.length > SAMPLES) samples.shift();
}
