/**
 * What does a connection cost the server, in CPU time, against the bare loop?
 *
 * @module
 */

import { flood, Server } from "./load.ts";
import type { Mode } from "./server.ts";

const ROUNDS = 9;
const CONNECTIONS = 10_000;
const CONCURRENCY = 64;

/** Microseconds of the server's CPU time for each connection, by mode and round; the modes take turns. */
export async function measure(modes: readonly Mode[]): Promise<Map<Mode, number[]>> {
  const results = new Map<Mode, number[]>(modes.map((mode) => [mode, []]));
  const servers = new Map<Mode, Server>();
  for (const mode of modes) servers.set(mode, await Server.start(mode));
  for (let round = -2; round < ROUNDS; round++) {
    for (const [mode, server] of servers) {
      const before = await server.read();
      await flood(server.port, CONNECTIONS, CONCURRENCY);
      const after = await server.read();
      // The first rounds warm up.
      if (round >= 0) results.get(mode)!.push((after.cpu - before.cpu) / (after.served - before.served));
    }
  }
  for (const server of servers.values()) server[Symbol.dispose]();
  return results;
}

const r = await measure(["bare", "admit", "refuse"]);
for (const [mode, xs] of r) {
  console.log(
    mode,
    xs.map((x) => x.toFixed(1)).join(" "),
    "median",
    xs.toSorted((a, b) => a - b)[xs.length >> 1],
    "min",
    Math.min(...xs),
  );
}
