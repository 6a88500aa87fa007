/**
 * The results, as they are kept.
 *
 * @module
 */

import type { Machine } from "../lib/machine.ts";
import type { Figure, Growth } from "./figures.ts";

/** The parts that can be measured alone. */
export const SECTIONS = ["counting", "growth", "sockets", "connections"] as const;

/** The name of one of them. */
export type SectionName = typeof SECTIONS[number];

/** What was measured in a section, on which machine. */
export interface Section {
  readonly machine: Machine;
  readonly figures: readonly Figure[];
  /** By the name of their chart. */
  readonly growths: Readonly<Record<string, Growth>>;
}

/** All that was measured. */
export type Results = Readonly<Partial<Record<SectionName, Section>>>;

/** The folder where they are kept. */
export const RESULTS: URL = new URL("../results/", import.meta.url);

const FILE = new URL("peers.json", RESULTS);

/** The results that are kept; none where nothing has been measured. */
export async function readResults(): Promise<Results> {
  try {
    return JSON.parse(await Deno.readTextFile(FILE));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
}

/** Keeps results. */
export async function writeResults(results: Results): Promise<void> {
  await Deno.mkdir(RESULTS, { recursive: true });
  await Deno.writeTextFile(FILE, `${JSON.stringify(results, rounded, 2)}\n`);
}

/** More digits than these say nothing. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
}
