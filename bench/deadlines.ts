/**
 * What do deadlines cost, compared with the same server without: bulk data, small messages, and connections at rest?
 *
 * @module
 */

import { Child } from "./lib/child.ts";
import { cpuTime } from "./lib/cpu.ts";
import { megabytesPerSecond } from "./lib/bulk_echo.ts";
import type { LoadGenerator } from "./lib/load_generator.ts";
import { measureInRounds } from "./lib/rounds.ts";
import { printRatio, printRow } from "./lib/rows.ts";
import { cpuEach, message, Server, type ServerSpec } from "./lib/servers.ts";
import { SilentConnections } from "./lib/silent.ts";

const MODES = ["timed", "plain"] as const;
type Mode = typeof MODES[number];

const WAYS = [
  ["Deno", "loop", "reads"],
  ["Deno", "loop", "streams"],
  ["Bun", "loop", "streams"],
  ["Bun", "loop", "reads"],
  ["Bun", "callbacks", ""],
  ["Node", "net", ""],
  ["Deno", "net", ""],
  ["Bun", "net", ""],
] as const;

type Way = typeof WAYS[number];

/** For the CPU time of a message. */
const WINDOW = { inFlight: 64, warmUp: 300, window: 500 } as const;

/** Connections at rest, as many as most systems let a process have descriptors for, and milliseconds. */
const SILENT = 15_000;
const REST_MS = 10_000;

function spec([runtime, way, io]: Way, mode: Mode): ServerSpec {
  return { file: "timed_echo.ts", runtime, args: [way, mode, io] };
}

/** Measures all of it. */
export async function benchDeadlines(load: LoadGenerator, rounds: number): Promise<void> {
  for (const way of WAYS) {
    const start = (mode: Mode) => Server.start(spec(way, mode));
    const name = way.join(" ").trim();
    const bulk = await measureInRounds(start, MODES, rounds, megabytesPerSecond);
    printRatio(`deadlines, echo, ${name}`, bulk.timed, bulk.plain, "MB/s", { atLeast: 0.97 });
    const small = await measureInRounds(
      start,
      MODES,
      rounds,
      async (server) => cpuEach(await message(load, server, WINDOW)),
    );
    printRatio(`deadlines, CPU per echo of 64 bytes, ${name}`, small.timed, small.plain, "µs", { atMost: 1.1 });
  }
  for (const way of [WAYS[0], WAYS[2], WAYS[4], WAYS[5], WAYS[6], WAYS[7]]) {
    const shares: number[] = [];
    for (const mode of MODES) {
      using server = await Server.start(spec(way, mode));
      using silent = new SilentConnections(server.ports[0]);
      silent.count = SILENT;
      await rest(1_000);
      const before = cpuTime(server.pid);
      await rest(REST_MS);
      shares.push((cpuTime(server.pid) - before) / 10 / REST_MS);
    }
    const [timed, plain] = shares as [number, number];
    const detail = `${timed.toFixed(2)} % to ${plain.toFixed(2)} %`;
    printRow(`deadlines, ${SILENT} at rest, ${way.join(" ").trim()}`, timed - plain, "%", { atMost: 0.5 }, detail);
  }
  const v8Flags = ["--expose-gc"];
  for (const runtime of ["Deno", "Bun", "Node"] as const) {
    type Figures = Record<"plain" | "told" | "asked", [bytes: number, percent: number]>;
    const program = new URL("micro/deadlines_program.ts", import.meta.url);
    const { plain, told, asked } = await Child.result<Figures>(program, [], { runtime, v8Flags });
    for (const [kind, [bytes, percent]] of Object.entries({ told, asked })) {
      printRow(`deadlines, 100,000 records at rest, ${runtime}, ${kind}`, percent - plain[1], "%", { atMost: 0.5 });
      printRow(`deadlines, bytes for each, ${runtime}, ${kind}`, bytes - plain[0], "bytes", { atMost: 40 });
    }
  }
}

function rest(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
