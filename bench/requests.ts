/**
 * How much CPU time does a request cost a web server, compared with the same server without limits?
 *
 * @module
 */

import type { RuntimeName } from "../testing/runtimes.ts";
import type { LoadGenerator } from "./lib/load_generator.ts";
import { measureInRounds } from "./lib/rounds.ts";
import { type Goal, printRatio } from "./lib/rows.ts";
import { cpuEach, request, Server, type ServerSpec } from "./lib/servers.ts";
import { medianRatio } from "./lib/statistics.ts";
import type { FetchMode } from "./servers/http_fetch.ts";

/** For the CPU time of a request. */
const WINDOW = { inFlight: 64, warmUp: 200, window: 500 } as const;

/** Bun compiles for seconds, on threads whose CPU time is the server's, and the more code there is the longer. */
const BUN_WINDOW = { ...WINDOW, warmUp: 4_000 } as const;

/** What a server of `node:http` does. */
const NODE_MODES = ["bare", "bare, reading headers", "limited", "requests limited"] as const;

/** A server of `node:http`. */
export function nodeServer(runtime: RuntimeName, mode: typeof NODE_MODES[number]): ServerSpec {
  return { file: "http_node.ts", runtime, args: [mode] };
}

/** `Deno.serve` or `Bun.serve`. */
export function fetchServer(runtime: "Deno" | "Bun", mode: FetchMode): ServerSpec {
  return { file: "http_fetch.ts", runtime, args: [mode] };
}

async function measure<M extends string>(
  load: LoadGenerator,
  modes: readonly M[],
  specOf: (mode: M) => ServerSpec,
  rounds: number,
): Promise<Record<M, number[]>> {
  const start = (mode: M) => Server.start(specOf(mode));
  const window = specOf(modes[0]!).runtime === "Bun" ? BUN_WINDOW : WINDOW;
  return await measureInRounds(start, modes, rounds, async (server) => cpuEach(await request(load, server, window)));
}

/** The goals are those for requests per second of a busy server, which are the inverse of its CPU time per request. */
function slower(requestsPerSecond: number): Goal {
  return { atMost: 1 / requestsPerSecond };
}

/** Measures `node:http`. */
export async function benchNodeRequests(load: LoadGenerator, runtime: RuntimeName, rounds: number): Promise<void> {
  const figures = await measure(load, NODE_MODES, (mode) => nodeServer(runtime, mode), rounds);
  const { bare, limited, "requests limited": requests } = figures;
  printRatio(`node:http on ${runtime}, CPU per request`, limited, bare, "µs", slower(0.97));
  const goal = slower(runtime === "Bun" ? 0.9 : 0.93);
  const note = `; reading the headers alone makes it ${
    medianRatio(figures["bare, reading headers"], bare).toFixed(2)
  } ×`;
  printRatio(`limitServerRequests() on ${runtime}, CPU per request`, requests, bare, "µs", goal, note);
}

/** Measures `Deno.serve` or `Bun.serve`. */
export async function benchFetchRequests(load: LoadGenerator, runtime: "Deno" | "Bun", rounds: number): Promise<void> {
  const modes = ["answer", "ask and answer", "answer limited", "refuse", "refuse limited"] as const;
  const figures = await measure(load, modes, (mode) => fetchServer(runtime, mode), rounds);
  const asking = medianRatio(figures["ask and answer"], figures.answer).toFixed(2);
  const note = `; asking for the address alone makes it ${asking} ×`;
  const goal = slower(runtime === "Deno" ? 0.9 : 0.88);
  printRatio(`${runtime}.serve, CPU per request`, figures["answer limited"], figures.answer, "µs", goal, note);
  printRatio(`${runtime}.serve, CPU per refused request`, figures["refuse limited"], figures.refuse, "µs", slower(0.9));
}
