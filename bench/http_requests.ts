/**
 * How many requests a second does a web server answer, of as many clients as `wrk` makes of one core?
 *
 * @module
 */

import type { Server } from "./load.ts";

const CONNECTIONS = 64;
const SECONDS = 1;

/** Requests a second, as `wrk` counts them, by mode, a figure a round. The modes take turns in being first. */
export async function measure<M extends string>(
  start: (mode: M) => Promise<Server>,
  modes: readonly M[],
  rounds: number,
): Promise<Record<M, number[]>> {
  const servers = await Promise.all(modes.map(async (mode) => [mode, await start(mode)] as const));
  const results = Object.fromEntries(modes.map((mode) => [mode, [] as number[]])) as Record<M, number[]>;
  // The first two rounds let the servers' code be optimised.
  for (let round = -2; round < rounds; round++) {
    for (const [mode, server] of round % 2 === 0 ? servers : servers.toReversed()) {
      const figure = await measureOnce(server);
      if (round >= 0) results[mode].push(figure);
    }
  }
  for (const [, server] of servers) server[Symbol.dispose]();
  return results;
}

async function measureOnce({ port }: Server): Promise<number> {
  const args = ["--threads=1", `--connections=${CONNECTIONS}`, `--duration=${SECONDS}s`, `http://127.0.0.1:${port}/`];
  const { stdout } = await new Deno.Command("wrk", { args }).output().catch((cause) => {
    throw new Error("wrk is needed, which is in the packages of most systems", { cause });
  });
  return Number(/^Requests\/sec: +(\S+)$/m.exec(new TextDecoder().decode(stdout))![1]);
}
