/**
 * Rounds, in which servers that are to be compared are measured next to each other.
 *
 * @module
 */

import type { Server } from "./load.ts";

/** Rounds that count for nothing: they let the servers' code be optimised. */
const WARM_UP = 2;

/**
 * Starts a server for each mode, measures them in turns, and ends them.
 *
 * The order is turned around with each round, lest a machine that becomes slower or faster be to the advantage of one mode.
 *
 * @returns By mode, a figure a round.
 */
export async function measureInRounds<M extends string>(
  start: (mode: M) => Promise<Server>,
  modes: readonly M[],
  rounds: number,
  measureOnce: (server: Server) => Promise<number>,
): Promise<Record<M, number[]>> {
  const results = Object.fromEntries(modes.map((mode) => [mode, [] as number[]])) as Record<M, number[]>;
  using stack = new DisposableStack();
  const servers: [mode: M, server: Server][] = [];
  for (const mode of modes) servers.push([mode, stack.use(await start(mode))]);
  for (let round = -WARM_UP; round < rounds; round++) {
    for (const [mode, server] of round % 2 === 0 ? servers : servers.toReversed()) {
      const figure = await measureOnce(server);
      if (round >= 0) results[mode].push(figure);
    }
  }
  return results;
}
