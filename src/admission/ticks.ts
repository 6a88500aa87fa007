/**
 * The ticks of deadlines.
 *
 * @module
 */

import { CLOCK, type Clock } from "./clock.ts";

/** The longest tick, in milliseconds. It is shorter where a deadline is: a 32nd of it. */
const LONGEST_TICK = 500;

/**
 * The most ticks that are counted at a time. The rest of a longer time was lost to the process, and so to clients, whose data
 * it has not read. The last deadline is then later, and no client is cut off for what it could not help.
 */
const MOST = 2;

/** Counts ticks, by one timer, while it is started. */
export class Ticks {
  /** The number of ticks so far. */
  now = 0;
  readonly #length: number;
  readonly #clock: Clock;
  readonly #onTick: () => void;
  /** The time of tick 0, if all the time since were counted. */
  #start = 0;
  #stop: (() => void) | undefined;
  #waits = false;

  /**
   * @param shortest The shortest deadline, in milliseconds.
   * @param onTick Called at each tick, after it is counted.
   */
  constructor(shortest: number, onTick: () => void, clock: Clock = CLOCK) {
    this.#length = Math.max(1, Math.min(LONGEST_TICK, shortest / 32));
    this.#onTick = onTick;
    this.#clock = clock;
  }

  /** After how many ticks a time is over for sure, which may have begun just before the next ticks are counted. */
  within(milliseconds: number = Infinity): number {
    return Math.ceil(milliseconds / this.#length) + MOST;
  }

  /** How many ticks a time has. */
  in(milliseconds: number): number {
    return Math.floor(milliseconds / this.#length);
  }

  start(): void {
    const clock = this.#clock;
    this.#start = clock.now() - this.now * this.#length;
    this.#stop = clock.every(this.#length, () => {
      if (this.#waits) return;
      const due = this.#due();
      if (due <= MOST) return this.#run(due);
      // What clients have sent meanwhile is read first.
      this.#waits = true;
      clock.soon(() => {
        this.#waits = false;
        const due = this.#due();
        this.#start += Math.max(0, due - MOST) * this.#length;
        this.#run(Math.min(due, MOST));
      });
    });
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  /** How many ticks are due and not counted. */
  #due(): number {
    return Math.floor((this.#clock.now() - this.#start) / this.#length) - this.now;
  }

  #run(count: number): void {
    for (; count > 0 && this.#stop !== undefined; count--) {
      this.now++;
      this.#onTick();
    }
  }
}
