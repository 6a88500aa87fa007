/**
 * The CPU time of other processes, and the cores they may use. Linux only.
 *
 * @module
 */

import { libc } from "./libc.ts";

/** The kernel's number for the CPU time of a process among the clocks of processes. */
const CPUCLOCK_SCHED = 2;

/**
 * Microseconds of CPU time that a process has used, in all its threads, also those that have ended. It is the scheduler's
 * own account in nanoseconds, the same for every program. `/proc/PID/stat` has ticks of 10 ms.
 */
export function cpuTime(pid: number): number {
  const time = new BigInt64Array(2);
  if (libc.clock_gettime(~pid << 3 | CPUCLOCK_SCHED, time) !== 0) {
    throw new Error(`process ${pid} is gone`);
  }
  return Number(time[0]) * 1e6 + Number(time[1]) / 1e3;
}

/** Restricts all threads of a process, and those that they start later, to some cores. */
export function pin(pid: number, cores: readonly number[]): void {
  const mask = new BigUint64Array(16);
  for (const core of cores) mask[core >> 6]! |= 1n << BigInt(core & 63);
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    libc.sched_setaffinity(Number(name), BigInt(mask.byteLength), mask);
  }
}

/** The cores of the measured processes: all but the first, which the load has to itself. */
export const CORES: readonly number[] = Array.from(
  { length: navigator.hardwareConcurrency - 1 },
  (_, index) => index + 1,
);
