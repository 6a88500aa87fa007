/**
 * What does a connection cost the server, in CPU time, against the bare loop?
 *
 * @module
 */

import { program, type Server } from "./load.ts";

const IN_FLIGHT = 64;
const WARM_UP = 400;
const WINDOW = 600;

/** Microseconds of the server's CPU time for each connection, by mode, a figure a round. The modes take turns. */
export async function measure<M extends string>(
  start: (mode: M) => Promise<Server>,
  modes: readonly M[],
  rounds: number,
): Promise<Record<M, number[]>> {
  const servers = await Promise.all(modes.map(async (mode) => [mode, await start(mode)] as const));
  const results = Object.fromEntries(modes.map((mode) => [mode, [] as number[]])) as Record<M, number[]>;
  // The first two rounds let the servers' code be optimised.
  for (let round = -2; round < rounds; round++) {
    for (const [mode, server] of servers) {
      const figure = await measureOnce(server);
      if (round >= 0) results[mode].push(figure);
    }
  }
  for (const [, server] of servers) server[Symbol.dispose]();
  return results;
}

async function measureOnce(server: Server): Promise<number> {
  const flood = program("flood.ts", [server.port, IN_FLIGHT, 0], { stdout: "null" }).spawn();
  await sleep(WARM_UP);
  const before = await server.read();
  await sleep(WINDOW);
  const after = await server.read();
  flood.kill("SIGKILL");
  await flood.status;
  return (after.cpu - before.cpu) / (after.served - before.served);
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
