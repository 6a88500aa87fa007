/**
 * A flood at one door of a server while connections are held at the other, and what it costs meanwhile.
 *
 *   deno run -A bench/peers/siege.ts PLAN
 *
 * Prints what {@linkcode besiege} resolves to. The flood and the established client count for themselves, so that whoever
 * serves them is measured in the same way. The flood has a core of its own, and those that serve have the others.
 *
 * @module
 */

import { EchoClient, Flood, SOURCES } from "../flood.ts";
import { outputOf, program } from "../load.ts";
import { cpuTime, pin } from "./cpu.ts";
import { HeldConnections } from "./held.ts";

/** What is to be done. */
export interface Plan {
  /** Where connections are flooded, and where they are kept and echoed. */
  readonly ports: readonly [flooded: number, kept: number];
  /** Whose CPU time is told. */
  readonly pids: readonly number[];
  /** Whether those that flood hold the connections as well, one each; else all are held by others. */
  readonly floodersHold: boolean;
  /** One after the other. */
  readonly phases: readonly Phase[];
}

/** A part of a siege. */
export interface Phase {
  /** How many connections are held, each by a client of its own, besides the established client's. */
  readonly held: number;
  readonly inFlight: number;
  /** Whether the established client has bytes echoed. It costs CPU time, too. */
  readonly echoes: boolean;
  /** Milliseconds that do not count, and milliseconds that do. */
  readonly warmUp: number;
  readonly window: number;
}

/** What was seen in a phase. */
export interface Observation {
  /** Connections that the server has closed. */
  readonly closed: number;
  readonly milliseconds: number;
  /** Microseconds of CPU time, by process. */
  readonly cpu: readonly number[];
  /** How many milliseconds each echo took. */
  readonly echoes: readonly number[];
}

/** Lays siege, by a process of its own. Resolves to what was seen, by phase. */
export async function besiege(plan: Plan): Promise<Observation[]> {
  return JSON.parse(await outputOf(program("peers/siege.ts", [JSON.stringify(plan)])));
}

/** Milliseconds from an echo to the next byte, lest the client be served most often while it is served best. */
const PAUSE = 1;
/** Connections that are looked after between looks at the clock. */
const STEPS = 32;
/** So many must have been closed for a phase to end, and within so many milliseconds. */
const LEAST = 200;
const PATIENCE = 10_000;

function laySiege({ ports: [flooded, kept], pids, floodersHold, phases }: Plan): Observation[] {
  pin(Deno.pid, [0]);
  const others = Array.from({ length: navigator.hardwareConcurrency - 1 }, (_, index) => index + 1);
  for (const pid of pids) pin(pid, others);

  const held = new HeldConnections(kept, floodersHold ? 0 : SOURCES);
  const client = phases.some(({ echoes }) => echoes) ? new EchoClient(kept, PAUSE) : undefined;
  const flood = new Flood(flooded, 1);
  return phases.map((phase) => {
    held.count = phase.held;
    flood.inFlight = phase.inFlight;
    const echoing = phase.echoes ? client : undefined;
    run(flood, echoing, phase.warmUp);
    const [closed, echoed, cpu] = [flood.closed, client?.times.length, pids.map(cpuTime)];
    const milliseconds = run(flood, echoing, phase.window);
    return {
      closed: flood.closed - closed,
      milliseconds,
      cpu: pids.map((pid, index) => cpuTime(pid) - cpu[index]!),
      echoes: client === undefined ? [] : [...client.times.slice(echoed), ...client.waiting()],
    };
  });
}

/** @returns How many milliseconds it took. */
function run(flood: Flood, client: EchoClient | undefined, milliseconds: number): number {
  const [start, closed] = [performance.now(), flood.closed];
  for (;;) {
    for (let i = 0; i < STEPS; i++) {
      flood.step();
      client?.step();
    }
    const passed = performance.now() - start;
    if (passed >= milliseconds && flood.closed - closed >= LEAST) return passed;
    if (passed >= milliseconds + PATIENCE) throw new Error("the server does not close what the flood opens");
  }
}

if (import.meta.main) console.log(JSON.stringify(laySiege(JSON.parse(Deno.args[0]!))));
