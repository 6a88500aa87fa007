/**
 * Is this version of the library faster or slower than another one?
 *
 * The same measured programs run with both, in turns: in each round they are started anew, since two runs of one program
 * can differ by more than two versions do. A ratio below 1 means that this version needs less.
 *
 * @module
 */

import { type BusyFigures, measureBusy } from "./busy.ts";
import { timeCore } from "./core.ts";
import { echoServer } from "./echo.ts";
import type { Group } from "./lib/groups.ts";
import type { LoadGenerator, Observation } from "./lib/load_generator.ts";
import { alternating } from "./lib/rounds.ts";
import {
  cpuEach,
  type Fate,
  FATES,
  flood,
  limitedServer,
  message,
  request,
  Server,
  type ServerSpec,
  type Way,
} from "./lib/servers.ts";
import { median, medianRatio, quantile } from "./lib/statistics.ts";
import type { CoreWork } from "./micro/core_program.ts";
import { fetchServer, nodeServer } from "./requests.ts";

/** Figures of both versions, a pair a round. */
interface Pairs {
  readonly now: number[];
  readonly before: number[];
}

/** What is measured of a server. */
interface Case {
  readonly spec: ServerSpec;
  /** What is done with connections; or what comes in their place. */
  readonly fate: Fate | "requested" | "echoed";
}

const RUNTIMES = ["Deno", "Bun", "Node"] as const;
const IN_FLIGHT = 64;
const CORE = ["accept + release, IPv4", "accept + release, IPv6", "refuse"] as const satisfies readonly CoreWork[];

function connections(runtime: typeof RUNTIMES[number], way: Way): [string, Case][] {
  return (["admitted", "refused"] as const).map((fate) => {
    const { maxPerClient } = FATES[fate];
    return [`${runtime}, ${way}, ${fate}`, { spec: limitedServer(runtime, way, maxPerClient), fate }];
  });
}

/** By group and name. */
const CASES: Readonly<
  Record<
    Exclude<Group, "core" | "memory" | "proxy" | "deadlines" | "full" | "seeing" | "shared">,
    readonly [name: string, of: Case][]
  >
> = {
  deno: connections("Deno", "accept loop"),
  bun: [
    ...connections("Bun", "accept loop"),
    ...connections("Bun", "callbacks"),
    ["Bun, echo of 64 bytes, streams", { spec: echoServer("streams"), fate: "echoed" }],
    ["Bun, echo of 64 bytes, read, write", { spec: echoServer("reads"), fate: "echoed" }],
  ],
  node: RUNTIMES.flatMap((runtime) => connections(runtime, "node:net")),
  http: [
    ...RUNTIMES.map((
      runtime,
    ): [string, Case] => [`${runtime}, node:http`, { spec: nodeServer(runtime, "limited"), fate: "requested" }]),
    ...(["Deno", "Bun"] as const).flatMap((runtime): [string, Case][] => [
      [`${runtime}.serve, admitted`, { spec: fetchServer(runtime, "answer limited"), fate: "requested" }],
      [`${runtime}.serve, refused`, { spec: fetchServer(runtime, "refuse limited"), fate: "requested" }],
    ]),
  ],
};

/** Measures what is chosen with both versions, and prints a row for each. */
export async function benchAgainst(
  load: LoadGenerator,
  library: URL,
  groups: readonly Group[],
  rounds: number,
): Promise<void> {
  console.log(`"before" is ${library.pathname}. The range is that of the middle half of the rounds.\n`);
  console.log(`${"".padEnd(34)}      now   before    ratio`);
  if (groups.includes("core")) await compareCore(library, rounds);
  for (const [group, cases] of Object.entries(CASES)) {
    if (!groups.includes(group as Group)) continue;
    for (const [name, of] of cases) print(name, await compareServers(load, library, of, rounds), "µs");
    if (group === "deno") await compareBusy(library, rounds);
  }
}

async function compareBusy(library: URL, rounds: number): Promise<void> {
  const figures = { now: [] as BusyFigures[], before: [] as BusyFigures[] };
  for (let round = 0; round < rounds; round++) {
    for (const version of inTurn(round)) {
      figures[version].push(await measureBusy("limited", version === "now" ? undefined : library));
    }
  }
  for (
    const [figure, name] of [["newcomer", "new clients"], ["echoP50", "echo p50"], ["echoP99", "echo p99"]] as const
  ) {
    const of = (version: "now" | "before") => figures[version].map((figures) => figures[figure]);
    print(`Deno, accept loop, busy, ${name}`, { now: of("now"), before: of("before") }, "ms");
  }
}

async function compareCore(library: URL, rounds: number): Promise<void> {
  const pairs = new Map<CoreWork, Pairs>(CORE.map((work) => [work, { now: [], before: [] }]));
  for (let round = 0; round < rounds; round++) {
    for (const version of inTurn(round)) {
      const times = await timeCore(version === "now" ? undefined : library);
      for (const [work, figures] of pairs) figures[version].push(times[work]);
    }
  }
  for (const [work, figures] of pairs) print(`core, ${work}`, figures, "ns");
}

/** Windows of a round, of each of the two servers. */
const WINDOWS = 3;
/** Milliseconds. The code is optimised first. */
const OPTIMISING = { warmUp: 0, window: 300 };
const MEASURING = { warmUp: 30, window: 200 };

async function compareServers(load: LoadGenerator, library: URL, of: Case, rounds: number): Promise<Pairs> {
  const pairs: Pairs = { now: [], before: [] };
  const observe = (server: Server, times: typeof MEASURING) => {
    const window = { inFlight: IN_FLIGHT, ...times };
    if (of.fate === "requested") return request(load, server, window);
    if (of.fate === "echoed") return message(load, server, window);
    return flood(load, server, of.fate, window);
  };
  for (let round = 0; round < rounds; round++) {
    using now = await Server.start(of.spec);
    using before = await Server.start(of.spec, library);
    const servers = { now, before };
    const seen: Record<"now" | "before", Observation[]> = { now: [], before: [] };
    for (const version of inTurn(round)) await observe(servers[version], OPTIMISING);
    for (let window = 0; window < WINDOWS; window++) {
      for (const version of inTurn(round + window)) seen[version].push(await observe(servers[version], MEASURING));
    }
    for (const version of ["now", "before"] as const) pairs[version].push(median(seen[version].map(cpuEach)));
  }
  return pairs;
}

function inTurn(round: number): readonly ("now" | "before")[] {
  return alternating(["now", "before"], round);
}

function print(name: string, { now, before }: Pairs, unit: string): void {
  const ratios = now.map((figure, round) => figure / before[round]!);
  const range = `${quantile(ratios, 0.25).toFixed(3)} … ${quantile(ratios, 0.75).toFixed(3)}`;
  const cell = (figures: readonly number[]) => `${median(figures).toFixed(1).padStart(6)} ${unit}`;
  console.log(
    `${name.padEnd(34)} ${cell(now)} ${cell(before)}  ${medianRatio(now, before).toFixed(3)} ×  (${range})`,
  );
}
