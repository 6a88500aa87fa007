/**
 * All benchmarks, as ratios to a reference in the same run, beside what they are to reach.
 *
 *   deno task bench
 *
 * The figures are indicative: of one machine, on one day. Linux only, for the flood's sake, and with `wrk`.
 *
 * @module
 */

import { cpus } from "node:os";
import { megabytesPerSecond } from "./bun_echo.ts";
import type { BunMode } from "./bun_mode.ts";
import { requestsPerSecond } from "./http_requests.ts";
import { outputOf, program, type RuntimeName, Server } from "./load.ts";
import { measureInRounds } from "./rounds.ts";
import type { Mode } from "./server.ts";
import { median, medianRatio, quantile } from "./statistics.ts";
import type { FetchMode } from "./server_fetch.ts";
import type { NodeMode } from "./server_node.ts";
import { cpuPerConnection } from "./tcp_cpu.ts";
import { measure as measureLatency } from "./tcp_latency.ts";

/** @param least Whether `reach` is the least rather than the most. */
function row(work: string, figure: number, unit: string, reach: number, detail: string, least = false): void {
  const verdict = (least ? figure >= reach : figure <= reach) ? "reached" : "not reached";
  const goal = `${least ? "≥" : "≤"} ${Number(reach.toFixed(2))}`;
  console.log(
    `${work.padEnd(52)} ${figure.toFixed(2).padStart(7)} ${unit.padEnd(5)} (${goal}: ${verdict}) ${detail}`,
  );
}

console.log(`${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores`);
console.log(`Deno ${Deno.version.deno}, V8 ${Deno.version.v8}, ${new Date().toISOString().slice(0, 10)}\n`);

await core(5);
await memory();
await tcpCpu(15);
await tcpLatency(3);
await bunCpu(15);
await bunEcho(9);
for (const runtime of ["Deno", "Bun", "Node"] as const) await nodeServers(runtime, 15);
await fetchHandlers("Deno", 0.9, 15);
await fetchHandlers("Bun", 0.88, 15);
Deno.exit();

async function core(runs: number): Promise<void> {
  /** Nanoseconds for each of the 10,000 clients of an iteration, by benchmark, a figure a run. */
  const figures = new Map<string, number[]>();
  const bench = program("core_bench.ts", [], { command: ["bench", "--json", "--no-check"] });
  for (let run = 0; run < runs; run++) {
    for (const { name, results } of JSON.parse(await outputOf(bench)).benches) {
      figures.set(name, [...figures.get(name) ?? [], results[0].ok.avg / 10_000]);
    }
  }
  const compare = (work: string, group: string, reference: string, reach: number) => {
    const [ours, theirs] = [figures.get(`${group}: connlimit`)!, figures.get(`${group}: ${reference}`)!];
    row(
      work,
      medianRatio(ours, theirs),
      "×",
      reach,
      `${median(ours).toFixed(0)} ns to ${median(theirs).toFixed(0)} ns`,
    );
  };
  compare("accept + release, 10,000 IPv4 clients", "accept + release, IPv4", "hand-written map", 1.3);
  compare("accept + release, 10,000 IPv6 clients", "accept + release, IPv6", "hand-written map", 4);
  compare("refuse one client at its limit", "refuse", "accept + release", 0.3);
}

async function memory(): Promise<void> {
  const command = ["run", "-A", "--no-check", "--v8-flags=--expose-gc,--max-old-space-size=4000"];
  const [ipv4, ipv6] = (await outputOf(program("memory.ts", [], { command }))).split("\n").map(Number);
  row("1 M IPv4 clients held, each", ipv4!, "bytes", 200, "");
  row("1 M IPv6 clients held, each", ipv6!, "bytes", 200, "");
}

async function tcpCpu(rounds: number): Promise<void> {
  const { bare, admit, refuse } = await measureInRounds(
    on<Mode>("server.ts"),
    ["bare", "admit", "refuse"],
    rounds,
    cpuPerConnection,
  );
  const compare = (work: string, figures: readonly number[], reach: number) =>
    row(
      work,
      medianRatio(figures, bare),
      "×",
      reach,
      `${median(figures).toFixed(1)} µs to ${median(bare).toFixed(1)} µs`,
    );
  compare("CPU per admitted and closed TCP connection", admit, 1.05);
  compare("CPU per refused TCP connection", refuse, 1.1);
}

async function tcpLatency(rounds: number): Promise<void> {
  const p99 = async (mode: Mode) => {
    const figures: number[] = [];
    for (let round = 0; round < rounds; round++) figures.push(quantile(await measureLatency(mode), 0.99));
    return median(figures);
  };
  const [bare, admit] = [await p99("bare"), await p99("admit")];
  row("echo p99 while 1,000 in flight are refused", await p99("refuse"), "ms", 3, `bare loop: ${bare.toFixed(1)} ms`);
  row("echo p99 while 1,000 in flight are admitted", admit, "ms", bare, "no worse than the bare loop");
}

async function bunCpu(rounds: number): Promise<void> {
  const modes = ["bare", "admit", "refuse", "refuse in loop"] as const;
  const { bare, ...figures } = await measureInRounds(
    on<BunMode>("server_bun.ts", "Bun"),
    modes,
    rounds,
    cpuPerConnection,
  );
  const compare = (work: string, figures: readonly number[]) =>
    row(
      work,
      medianRatio(figures, bare),
      "×",
      1.1,
      `${median(figures).toFixed(1)} µs to ${median(bare).toFixed(1)} µs`,
    );
  compare("Bun, CPU per admitted connection, callbacks", figures.admit);
  compare("Bun, CPU per refused connection, callbacks", figures.refuse);
  compare("Bun, CPU per refused connection, accept loop", figures["refuse in loop"]);
}

async function bunEcho(rounds: number): Promise<void> {
  const modes = ["echo raw", "echo streams"] as const;
  const figures = await measureInRounds(on<BunMode>("server_bun.ts", "Bun"), modes, rounds, megabytesPerSecond);
  const { "echo raw": raw, "echo streams": streams } = figures;
  const detail = `${median(streams).toFixed(0)} MB/s to ${median(raw).toFixed(0)} MB/s`;
  row("Bun, echo by streams, against handlers", medianRatio(streams, raw), "×", 0.85, detail, true);
}

async function nodeServers(runtime: RuntimeName, rounds: number): Promise<void> {
  const server = on<NodeMode>("server_node.ts", runtime);
  const requests = await measureInRounds(server, ["http", "http limited"], rounds, requestsPerSecond);
  compareRequests(`${runtime}, requests to node:http`, requests["http limited"], requests.http, 0.97);
  const cpu = await measureInRounds(server, ["destroy", "refuse", "read and destroy"], rounds, cpuPerConnection);
  const [refuse, destroy] = [median(cpu.refuse).toFixed(1), median(cpu.destroy).toFixed(1)];
  const read = medianRatio(cpu["read and destroy"], cpu.destroy).toFixed(2);
  const detail = `${refuse} µs to ${destroy} µs; reading the address alone makes it ${read} ×`;
  row(`${runtime}, CPU per refused connection of node:net`, medianRatio(cpu.refuse, cpu.destroy), "×", 1.05, detail);
}

async function fetchHandlers(runtime: "Deno" | "Bun", reach: number, rounds: number): Promise<void> {
  const modes = ["answer", "ask and answer", "answer limited", "refuse", "refuse limited"] as const;
  const figures = await measureInRounds(on<FetchMode>("server_fetch.ts", runtime), modes, rounds, requestsPerSecond);
  const asked = `; asking for the address alone makes it ${
    medianRatio(figures["ask and answer"], figures.answer).toFixed(2)
  } ×`;
  compareRequests(`${runtime}.serve, requests`, figures["answer limited"], figures.answer, reach, asked);
  compareRequests(`${runtime}.serve, refused requests`, figures["refuse limited"], figures.refuse, 0.9);
}

function compareRequests(
  work: string,
  ours: readonly number[],
  theirs: readonly number[],
  reach: number,
  note = "",
): void {
  const detail = `${median(ours).toFixed(0)} to ${median(theirs).toFixed(0)} a second${note}`;
  row(work, medianRatio(ours, theirs), "×", reach, detail, true);
}

/** Starts servers of a file, on a runtime, by their modes. */
function on<M extends string>(file: string, runtime?: RuntimeName): (mode: M) => Promise<Server> {
  return (mode) => Server.start(file, mode, runtime);
}
