/**
 * The time, for what a test moves by hand.
 *
 * @module
 */

import { setImmediate, setInterval } from "node:timers";

/** The time, and timers that do not keep the process running. */
export interface Clock {
  /** Milliseconds, on a clock that only goes on. */
  now(): number;
  /** Calls a function again and again. Returns what stops it. */
  every(milliseconds: number, run: () => void): () => void;
  /** Calls a function after the events that are waiting. */
  soon(run: () => void): void;
}

/** The real one. */
export const CLOCK: Clock = {
  now: () => performance.now(),
  every(milliseconds, run) {
    const timer = setInterval(run, milliseconds);
    timer.unref();
    return () => clearInterval(timer);
  },
  soon: (run) => void setImmediate(run),
};
