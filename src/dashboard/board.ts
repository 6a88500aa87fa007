/**
 * The limiters of a dashboard, and those who look at them.
 *
 * @module
 */

import { hookFailed } from "../admission/hooks.ts";
import { repeatUntilGarbage } from "../admission/repeat_until_garbage.ts";
import type { DashboardOptions } from "./dashboard_options.ts";
import { type LimiterLike, ShownLimiter } from "./shown_limiter.ts";
import type { DashboardLimiter, DashboardSnapshot } from "./snapshot.ts";
import { encodeMessage, Viewers } from "./viewers.ts";

/** Milliseconds for which a snapshot serves all that ask. */
const FRESH = 200;

/** Takes samples all the time, and snapshots while there are viewers. All viewers share them. */
export class Board {
  readonly viewers: Viewers;
  #limiters: ShownLimiter[];
  #snapshot = "";
  #snapshotDue = 0;
  readonly #stop: () => void;

  constructor(limiters: Readonly<Record<string, LimiterLike>>, options: Required<DashboardOptions>) {
    const { interval, top, maxViewers } = options;
    this.viewers = new Viewers(maxViewers);
    this.#limiters = Object.entries(limiters).map(([name, limiter]) => new ShownLimiter(name, limiter, top, interval));
    this.#stop = repeatUntilGarbage<Board>(this, interval, tick, endAll(this.#limiters));
  }

  /** Takes a sample of each limiter, and sends all to the viewers. */
  tick(): void {
    this.#limiters = this.#limiters.filter((limiter) => {
      if (limiter.isGone) limiter[Symbol.dispose]();
      else attempt(limiter, () => limiter.sample());
      return !limiter.isGone;
    });
    if (this.viewers.size > 0) this.viewers.send(encodeMessage(this.snapshot()));
  }

  /** The snapshot as JSON, not older than some milliseconds. */
  snapshot(): string {
    const now = performance.now();
    if (now < this.#snapshotDue) return this.#snapshot;
    const limiters = this.#limiters.map((limiter) => attempt(limiter, () => limiter.view()));
    const snapshot: DashboardSnapshot = {
      time: Date.now(),
      limiters: limiters.filter((view): view is DashboardLimiter => view !== undefined),
    };
    this.#snapshot = JSON.stringify(snapshot);
    this.#snapshotDue = now + FRESH;
    return this.#snapshot;
  }

  /** The limiter of a name; without a name, the first one. */
  find(name: string | null): ShownLimiter | undefined {
    return name === null ? this.#limiters[0] : this.#limiters.find((limiter) => limiter.name === name);
  }

  /** Ends the samples, the rankings and the viewers. */
  [Symbol.dispose](): void {
    this.#stop();
    for (const limiter of this.#limiters) limiter[Symbol.dispose]();
    this.#limiters = [];
    this.#snapshotDue = 0;
    this.viewers.end();
  }
}

function tick(board: Board): void {
  board.tick();
}

/** A function of its own: a closure of the constructor would hold the board. */
function endAll(limiters: readonly ShownLimiter[]): () => void {
  return () => limiters.forEach((limiter) => limiter[Symbol.dispose]());
}

/** A limiter of the user's own may throw. That must end neither the page nor the process. */
function attempt<T>(limiter: ShownLimiter, call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    hookFailed(limiter, undefined, error);
    return undefined;
  }
}
