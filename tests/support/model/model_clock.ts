/**
 * The time of a model.
 *
 * @module
 */

import type { Clock } from "../../../src/shared/clock.ts";

interface Timer {
  readonly at: number;
  readonly owner: object;
  readonly run: () => void;
}

/** Stands still until the model moves it. */
export class ModelClock {
  now = 0;
  #timers: Timer[] = [];

  /** A clock of one instance: it shows another time, and goes at the same rate. */
  clockOf(owner: object, offset: number): Clock {
    return {
      now: () => this.now + offset,
      after: (milliseconds, run) => {
        const timer = { at: this.now + milliseconds, owner, run };
        this.#timers.push(timer);
        return () => this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  /** An instance is no more. */
  stop(owner: object): void {
    this.#timers = this.#timers.filter((timer) => timer.owner !== owner);
  }

  /** When the next timer is due. */
  get next(): number {
    return Math.min(...this.#timers.map(({ at }) => at));
  }

  /** Goes on to the next timer, and runs it. Instances may be late by so many milliseconds, in which nothing of theirs runs. */
  step(late = 0): void {
    const timer = this.#timers.reduce((first, other) => other.at < first.at ? other : first);
    this.#timers = this.#timers.filter((other) => other !== timer);
    this.now = Math.max(this.now, timer.at + late);
    timer.run();
  }
}

/** Until everything that was promised has been done. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 4; i++) await undefined;
}
