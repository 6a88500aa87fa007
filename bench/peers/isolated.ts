/**
 * Measures in processes of their own, so that no subject pays for the garbage or the compiled code of another.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { Child } from "../lib/child.ts";
import { measureInRounds } from "../lib/rounds.ts";

const OPTIONS = {
  flags: ["--config", fileURLToPath(new URL("deno.json", import.meta.url))],
  v8Flags: ["--expose-gc", "--max-old-space-size=6000"],
};

/** Runs a program of this folder. Resolves to its result. */
export async function measured<T>(file: string, ...args: readonly (string | number)[]): Promise<T> {
  return await Child.result<T>(new URL(file, import.meta.url), args, OPTIONS);
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
