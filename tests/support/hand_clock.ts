/**
 * A clock of deadlines that a test moves by hand.
 *
 * @module
 */

import type { Clock } from "../../src/admission/clock.ts";

/** Stands still until the test moves it. */
export class HandClock implements Clock {
  #now = 1_000;
  #period = 0;
  #next = 0;
  #run: (() => void) | undefined;
  /** How many timers were started. */
  started = 0;

  /** Whether a timer runs. */
  get running(): boolean {
    return this.#run !== undefined;
  }

  /** Milliseconds from one call to the next. */
  get period(): number {
    return this.#period;
  }

  now(): number {
    return this.#now;
  }

  every(milliseconds: number, run: () => void): () => void {
    if (this.#run !== undefined) throw new Error("there is a timer already");
    this.started++;
    this.#period = milliseconds;
    this.#next = this.#now + milliseconds;
    this.#run = run;
    return () => {
      if (this.#run === run) this.#run = undefined;
    };
  }

  soon(run: () => void): void {
    run();
  }

  /** Lets time pass, with all the calls of the timer. */
  pass(milliseconds: number): void {
    const end = this.#now + milliseconds;
    while (this.#run !== undefined && this.#next <= end) {
      this.#now = this.#next;
      this.#next += this.#period;
      this.#run();
    }
    this.#now = end;
  }

  /** Lets time pass in which nothing runs. The timer is late then. */
  idle(milliseconds: number): void {
    this.#now += milliseconds;
    this.#next = Math.max(this.#next, this.#now);
  }

  /** Lets time pass in which nothing runs, until the timer does, once. */
  block(milliseconds: number): void {
    this.#now += milliseconds;
    this.#next = this.#now + this.#period;
    this.#run?.();
  }
}
