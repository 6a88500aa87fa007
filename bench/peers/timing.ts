/**
 * How long a piece of work takes.
 *
 * @module
 */

import { cpuTime } from "../lib/cpu.ts";

/** Work is repeated for so many microseconds at least. */
const LEAST = 60_000;

/** Work that takes so many is done once: it has been optimised soon after its beginning. */
const LONG = 1_000_000;

/**
 * Nanoseconds of CPU time for each of the operations that a piece of work consists of, once its code has been optimised. It
 * is the time of all the process's threads, so that the collection of garbage counts wherever it takes place, and that of
 * other processes does not.
 *
 * @param prepare Makes what the work is done with. It does not count.
 */
export async function nanoseconds<T>(
  operations: number,
  prepare: () => T,
  work: (prepared: T) => unknown,
): Promise<number> {
  const first = await repeat(prepare, work);
  const { times, microseconds } = first.microseconds >= LONG ? first : await repeat(prepare, work);
  return microseconds * 1e3 / (times * operations);
}

async function repeat<T>(
  prepare: () => T,
  work: (prepared: T) => unknown,
): Promise<{ times: number; microseconds: number }> {
  for (let times = 1, microseconds = 0;; times++) {
    const prepared = prepare();
    const start = cpuTime(Deno.pid);
    await work(prepared);
    microseconds += cpuTime(Deno.pid) - start;
    if (microseconds >= LEAST) return { times, microseconds };
  }
}
