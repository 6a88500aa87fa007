/**
 * How much CPU time does a connection cost the server, admitted or refused, compared with the same server without limits?
 *
 * Without limits, the server closes the connections at once, as the others do with those that are admitted.
 *
 * @module
 */

import type { RuntimeName } from "../testing/runtimes.ts";
import type { LoadGenerator } from "./lib/load_generator.ts";
import { measureInRounds } from "./lib/rounds.ts";
import { printRatio } from "./lib/rows.ts";
import {
  bareServer,
  cpuEach,
  type Fate,
  FATES,
  flood,
  limitedServer,
  Server,
  type ServerSpec,
  type Way,
} from "./lib/servers.ts";
import { median } from "./lib/statistics.ts";

/** For the CPU time of a connection. */
const WINDOW = { inFlight: 64, warmUp: 300, window: 500 } as const;

interface Measured {
  readonly spec: ServerSpec;
  readonly fate: Fate;
}

/** A server whose limit admits or refuses the flood. */
function withLimit(runtime: RuntimeName, way: Way, fate: Fate): Measured {
  return { spec: limitedServer(runtime, way, FATES[fate].maxPerClient), fate };
}

function withoutLimit(runtime: RuntimeName, way: Way, mode = "bare"): Measured {
  return { spec: bareServer(runtime, way, mode), fate: "admitted" };
}

async function measure<M extends string>(
  load: LoadGenerator,
  servers: Readonly<Record<M, Measured>>,
  rounds: number,
): Promise<Record<M, number[]>> {
  const start = async (name: M) => {
    const { spec, fate } = servers[name];
    const server = await Server.start(spec);
    return { server, fate, [Symbol.dispose]: () => server[Symbol.dispose]() };
  };
  const names = Object.keys(servers) as M[];
  return await measureInRounds(
    start,
    names,
    rounds,
    async ({ server, fate }) => cpuEach(await flood(load, server, fate, WINDOW)),
  );
}

/** On Deno, by an accept loop. */
export async function benchDenoConnections(load: LoadGenerator, rounds: number): Promise<void> {
  const { bare, admitted, refused } = await measure(load, {
    bare: withoutLimit("Deno", "accept loop"),
    admitted: withLimit("Deno", "accept loop", "admitted"),
    refused: withLimit("Deno", "accept loop", "refused"),
  }, rounds);
  printRatio("Deno, CPU per admitted connection", admitted, bare, "µs", { atMost: 1.05 });
  printRatio("Deno, CPU per refused connection", refused, bare, "µs", { atMost: 1.1 });
}

/** On Bun, by callbacks and by an accept loop. */
export async function benchBunConnections(load: LoadGenerator, rounds: number): Promise<void> {
  const { bare, admitted, refused, admittedInLoop, refusedInLoop } = await measure(load, {
    bare: withoutLimit("Bun", "callbacks"),
    admitted: withLimit("Bun", "callbacks", "admitted"),
    refused: withLimit("Bun", "callbacks", "refused"),
    admittedInLoop: withLimit("Bun", "accept loop", "admitted"),
    refusedInLoop: withLimit("Bun", "accept loop", "refused"),
  }, rounds);
  printRatio("Bun, CPU per admitted connection, callbacks", admitted, bare, "µs", { atMost: 1.1 });
  printRatio("Bun, CPU per refused connection, callbacks", refused, bare, "µs", { atMost: 1.1 });
  printRatio("Bun, CPU per admitted connection, accept loop", admittedInLoop, bare, "µs", { atMost: 1.1 });
  printRatio("Bun, CPU per refused connection, accept loop", refusedInLoop, bare, "µs", { atMost: 1.1 });
}

/** By `node:net`, on any runtime. */
export async function benchNodeConnections(load: LoadGenerator, runtime: RuntimeName, rounds: number): Promise<void> {
  const { bare, reading, refused } = await measure(load, {
    bare: withoutLimit(runtime, "node:net"),
    reading: withoutLimit(runtime, "node:net", "bare, reading the address"),
    refused: withLimit(runtime, "node:net", "refused"),
  }, rounds);
  const read = median(reading.map((figure, round) => figure / bare[round]!)).toFixed(2);
  const note = `; reading the address alone makes it ${read} ×`;
  printRatio(`${runtime}, CPU per refused connection of node:net`, refused, bare, "µs", { atMost: 1.05 }, note);
}
