/**
 * The machine that measures, for the reports.
 *
 * @module
 */

import { cpus, release, totalmem } from "node:os";
import { RUNTIMES } from "../../testing/runtimes.ts";

/** A machine on a day, with the programs that were measured. */
export interface Machine {
  readonly date: string;
  readonly processor: string;
  readonly cores: number;
  /** In GiB. */
  readonly memory: number;
  readonly kernel: string;
  /** By name; `null` for what is not installed. */
  readonly versions: Readonly<Record<string, string | null>>;
}

/** This machine, now, with the runtimes. */
export async function thisMachine(): Promise<Machine> {
  const versions: Record<string, string> = {};
  for (const [name, find] of Object.entries(RUNTIMES)) versions[name] = (await find()).version;
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memory: Math.round(totalmem() / 2 ** 30),
    kernel: `Linux ${release()}`,
    versions,
  };
}

/** A machine as a sentence. */
export function describe({ date, processor, cores, memory, kernel, versions }: Machine): string {
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version ?? "is not installed"}`);
  return `${date}: ${processor}, ${cores} cores, ${memory} GiB of memory, ${kernel}; ${named.join(", ")}.`;
}
