/**
 * The memory of a process at rest.
 *
 * @module
 */

import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { collectGarbage } from "../../testing/memory.ts";

/** Bytes. */
export interface Memory {
  /** Resident, as the system counts. */
  readonly rss: number;
  /** On the heap, in use. */
  readonly heap: number;
  /** Live objects, where the runtime counts them, which Bun does. */
  readonly objects?: number;
}

const SAMPLES = 7;

/** Milliseconds between two samples. */
const PERIOD = 250;

/** Milliseconds after a first collection, since Deno returns to the system only then what it has freed. */
const SETTLE = 11_000;

/** The medians of some samples, each after a collection. */
export async function measureMemory(): Promise<Memory> {
  const samples: Memory[] = [];
  collectGarbage();
  await sleep(SETTLE);
  for (let i = 0; i < SAMPLES; i++) {
    collectGarbage();
    // What a collection leaves to other threads and to the next turns is done then.
    await sleep(PERIOD);
    const { rss, heapUsed } = process.memoryUsage();
    samples.push({ rss, heap: heapUsed });
  }
  const median = (name: "rss" | "heap") =>
    samples.map((sample) => sample[name]).sort((one, other) => one - other)[SAMPLES >> 1]!;
  return { rss: median("rss"), heap: median("heap"), ...await countObjects() };
}

async function countObjects(): Promise<{ objects?: number }> {
  if (!("Bun" in globalThis)) return {};
  const name = "bun:jsc";
  const { heapStats } = await import(name);
  return { objects: heapStats().objectCount };
}
