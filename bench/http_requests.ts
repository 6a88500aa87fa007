/**
 * How many requests a second does a web server answer, of as many clients as `wrk` makes of one core?
 *
 * @module
 */

import type { Server } from "./load.ts";
import { measureInRounds } from "./rounds.ts";

const CONNECTIONS = 64;
const SECONDS = 1;

/** Requests a second, as `wrk` counts them, by mode, a figure a round. */
export function measure<M extends string>(
  start: (mode: M) => Promise<Server>,
  modes: readonly M[],
  rounds: number,
): Promise<Record<M, number[]>> {
  return measureInRounds(start, modes, rounds, measureOnce);
}

async function measureOnce({ port }: Server): Promise<number> {
  const args = ["--threads=1", `--connections=${CONNECTIONS}`, `--duration=${SECONDS}s`, `http://127.0.0.1:${port}/`];
  const { stdout } = await new Deno.Command("wrk", { args }).output().catch((cause) => {
    throw new Error("wrk is needed, which is in the packages of most systems", { cause });
  });
  return Number(/^Requests\/sec: +(\S+)$/m.exec(new TextDecoder().decode(stdout))![1]);
}
