/**
 * The time, which tests and models replace.
 *
 * @module
 */

import { setTimeout } from "node:timers";

/** A clock that only goes on, and timers that do not keep the process running. */
export interface Clock {
  /** Milliseconds since some moment. */
  now(): number;
  /** Calls a function later. Returns what cancels that. */
  after(milliseconds: number, run: () => void): () => void;
}

/** The real one. It is not the time of day, which steps. */
export const CLOCK: Clock = {
  now: () => performance.now(),
  after(milliseconds, run) {
    const timer = setTimeout(run, milliseconds);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
