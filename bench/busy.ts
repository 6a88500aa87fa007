/**
 * How long does a new client wait for its first echo while a server is busy with established clients, and one address is
 * refused again and again? The reference is a loop that counts in a map and closes.
 *
 * @module
 */

import type { RuntimeName } from "../testing/runtimes.ts";
import type { BusyObservation, BusyPlan } from "./lib/busy_load.ts";
import { Child } from "./lib/child.ts";
import { alternating } from "./lib/rounds.ts";
import { printRatio } from "./lib/rows.ts";
import { type BusyMode, busyServer, Server, type Way } from "./lib/servers.ts";
import { median, quantile } from "./lib/statistics.ts";

/** Twenty clients, each of whose messages takes 5 ms, and one address that connects again and again. */
const LOAD = { established: 20, work: 20, rate: 1_000, knock: "refused", warmUp: 1_000, window: 2_500 } as const;
const MAX_PER_CLIENT = 5;

/** Milliseconds. */
export interface BusyFigures {
  readonly newcomer: number;
  readonly echoP50: number;
  readonly echoP99: number;
}

/** Measures a server once. The server and the load are started anew, so that connections that wait do so for nobody else. */
export async function measureBusy(
  mode: BusyMode,
  library?: URL,
  way: Way = "accept loop",
  runtime: RuntimeName = "Deno",
): Promise<BusyFigures> {
  using load = await Child.start(new URL("lib/busy_load.ts", import.meta.url));
  using server = await Server.start(busyServer(runtime, way, mode, MAX_PER_CLIENT), library);
  const plan: BusyPlan = { ...LOAD, port: server.ports[0], pid: server.pid };
  const { newcomers, echoes } = await load.ask<BusyObservation>("observe", [plan]);
  return { newcomer: median(newcomers), echoP50: median(echoes), echoP99: quantile(echoes, 0.99) };
}

/** On Deno, by an accept loop. */
export async function benchBusy(rounds: number): Promise<void> {
  const figures: Record<BusyMode, BusyFigures[]> = { limited: [], naive: [] };
  for (let round = 0; round < rounds; round++) {
    for (const mode of alternating(["limited", "naive"] as const, round)) figures[mode].push(await measureBusy(mode));
  }
  const row = (work: string, figure: keyof BusyFigures, atMost: number) => {
    const of = (mode: BusyMode) => figures[mode].map((figures) => figures[figure]);
    printRatio(`Deno, busy, ${work}`, of("limited"), of("naive"), "ms", { atMost });
  };
  row(`new clients while ${LOAD.rate}/s are refused`, "newcomer", 1.1);
  row("echo p50 of established clients", "echoP50", 1.1);
  row("echo p99 of established clients", "echoP99", 1.3);
}
