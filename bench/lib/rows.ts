/**
 * The lines that benchmarks print.
 *
 * @module
 */

import { describe, thisMachine } from "./machine.ts";
import { median, medianRatio } from "./statistics.ts";

/** Prints on which machine and with which runtimes is measured. */
export async function printMachine(): Promise<void> {
  console.log(describe(await thisMachine()));
  console.log("All figures are medians, and indicative: they are of one machine, on one day.\n");
}

/** A goal for a figure. */
export interface Goal {
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** Prints a figure beside what it is to reach. */
export function printRow(work: string, figure: number, unit: string, goal: Goal, detail = ""): void {
  const { atMost = Infinity, atLeast = -Infinity } = goal;
  const verdict = figure <= atMost && figure >= atLeast ? "reached" : "not reached";
  const bound = goal.atMost === undefined ? `≥ ${round(atLeast)}` : `≤ ${round(atMost)}`;
  console.log(
    `${work.padEnd(54)} ${figure.toFixed(2).padStart(7)} ${unit.padEnd(5)} (${bound}: ${verdict}) ${detail}`.trimEnd(),
  );
}

/** Prints the ratio of figures to those of a reference in the same rounds. */
export function printRatio(
  work: string,
  figures: readonly number[],
  references: readonly number[],
  unit: string,
  goal: Goal,
  note = "",
): void {
  const detail = `${round(median(figures))} ${unit} to ${round(median(references))} ${unit}${note}`;
  printRow(work, medianRatio(figures, references), "×", goal, detail);
}

function round(value: number): string {
  return value >= 99.5 ? value.toFixed(0) : `${Number(value.toFixed(value >= 9.95 ? 1 : 2))}`;
}
