/**
 * Measures in processes of their own, so that neither their garbage nor what the compiler has learnt falls on another.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { outputOf, program } from "../load.ts";
import { measureInRounds } from "../rounds.ts";

const CONFIG = fileURLToPath(new URL("deno.json", import.meta.url));
const COMMAND = ["run", "--config", CONFIG, "-A", "--no-check", "--v8-flags=--expose-gc,--max-old-space-size=6000"];

/** Runs a program of this folder. Resolves to what it printed as JSON. */
export async function measured<T>(file: string, ...args: readonly (string | number)[]): Promise<T> {
  return JSON.parse(await outputOf(program(`peers/${file}`, args, { command: COMMAND })));
}

/** Measures each of some subjects once a round, by processes that live as long as a measurement. */
export async function inTurns<M extends string, F>(
  subjects: readonly M[],
  rounds: number,
  measure: (subject: M) => Promise<F>,
): Promise<Record<M, F[]>> {
  const start = (subject: M) => Promise.resolve({ subject, [Symbol.dispose]() {} });
  return await measureInRounds(start, subjects, rounds, ({ subject }) => measure(subject), 0);
}
