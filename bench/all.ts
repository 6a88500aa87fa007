/**
 * What the library costs, as ratios to a reference in the same run, beside what they are to reach; or, with `--against`,
 * as ratios to another version of the library.
 *
 *   deno task bench [--only core,memory,deno,bun,node,http,proxy,deadlines,full,seeing,shared] [--rounds N]
 *   deno task bench --against DIR [--only core,deno,bun,node,http] [--rounds N]
 *
 * `DIR` is the root of another checkout of this repository. Linux only. Without options it takes about half an hour; against
 * another version about nine minutes.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { benchAgainst } from "./against.ts";
import { benchBusy } from "./busy.ts";
import { benchBunConnections, benchDenoConnections, benchNodeConnections } from "./connections.ts";
import { benchCore, benchMemory } from "./core.ts";
import { benchDeadlines } from "./deadlines.ts";
import { benchEcho } from "./echo.ts";
import { benchFull } from "./full.ts";
import { benchLatency } from "./latency.ts";
import { type Group, GROUPS, rootOf } from "./lib/groups.ts";
import { LoadGenerator } from "./lib/load_generator.ts";
import { printMachine } from "./lib/rows.ts";
import { benchPending, benchProxied } from "./proxied.ts";
import { benchFetchRequests, benchNodeRequests } from "./requests.ts";
import { benchSeeing } from "./seeing.ts";
import { benchShared } from "./shared.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: { only: { type: "string" }, rounds: { type: "string" }, against: { type: "string" } },
});
const groups = (values.only?.split(",") ?? GROUPS) as Group[];
const unknown = groups.find((group) => !GROUPS.includes(group));
const rounds = Number(values.rounds ?? 11);
if (unknown !== undefined) fail(`--only: ${unknown} is none of ${GROUPS.join(", ")}`);
if (!Number.isInteger(rounds) || rounds < 1) fail(`--rounds must be a positive integer, got ${values.rounds}`);
if (Deno.build.os !== "linux") fail("the load uses system calls of Linux");
const before = values.against === undefined ? undefined : rootOf(values.against);

await printMachine();
console.log("No other program is needed. The load comes from a process with a core to itself. CPU time is that of all");
console.log("threads of the server's process, for each connection or request.\n");

const RUNTIMES = ["Deno", "Bun", "Node"] as const;
const BENCHMARKS: Readonly<Record<Group, (load: LoadGenerator) => Promise<void>>> = {
  core: () => benchCore(Math.ceil(rounds / 2)),
  memory: benchMemory,
  async deno(load) {
    await benchDenoConnections(load, rounds);
    await benchLatency(load, Math.ceil(rounds / 3));
    await benchBusy(rounds);
  },
  async bun(load) {
    await benchBunConnections(load, rounds);
    await benchEcho(load, rounds);
  },
  async node(load) {
    for (const runtime of RUNTIMES) await benchNodeConnections(load, runtime, rounds);
  },
  async http(load) {
    for (const runtime of RUNTIMES) await benchNodeRequests(load, runtime, rounds);
    for (const runtime of ["Deno", "Bun"] as const) await benchFetchRequests(load, runtime, rounds);
  },
  async proxy(load) {
    await benchProxied(load, rounds);
    await benchPending(load, Math.ceil(rounds / 3));
  },
  deadlines: (load) => benchDeadlines(load, rounds),
  full: (load) => benchFull(load, rounds),
  seeing: (load) => benchSeeing(load, rounds),
  shared: () => benchShared(rounds),
};

const start = performance.now();
{
  using load = await LoadGenerator.start();
  if (before !== undefined) await benchAgainst(load, before, groups, rounds);
  else for (const group of GROUPS) if (groups.includes(group)) await BENCHMARKS[group](load);
}
console.log(`\nMeasured in ${((performance.now() - start) / 1_000).toFixed(0)} s.`);
Deno.exit();

function fail(message: string): never {
  console.error(message);
  Deno.exit(2);
}
