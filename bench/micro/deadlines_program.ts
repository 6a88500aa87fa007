/**
 * What do deadlines cost 100,000 connections at rest, in memory and in CPU time?
 *
 *   deno run -A --v8-flags=--expose-gc bench/micro/deadlines_program.ts
 *
 * The connections are objects, for which no process has too few descriptors. Prints, by the kind of list, bytes for each
 * connection and the share of a core in percent.
 *
 * @module
 */

import process from "node:process";
import { Limiter } from "../../mod.ts";
import { OPEN_CONN, OpenConn, type Recorded } from "../../src/admission/open_conn.ts";
import { TimedConns } from "../../src/admission/timed_conns.ts";
import { collectGarbage } from "../../testing/memory.ts";
import { printLine } from "../lib/commands.ts";

const CONNECTIONS = 100_000;
const REST_MS = 10_000;

/** A list of each kind: without deadlines, with those that are told of activity, and with those that ask for it. */
const KINDS = {
  plain: () => TimedConns.of({}, limiter, { close() {} }),
  told: () => TimedConns.of(OPTIONS, limiter, { close() {} }),
  asked: () => TimedConns.of(OPTIONS, limiter, { close() {}, activityOf: ({ conn }) => (conn as Counted).bytes }),
};
const OPTIONS = { firstByteTimeout: 300_000, idleTimeout: 60_000, maxAge: 3_600_000 } as const;

interface Counted extends Recorded {
  bytes: number;
}

const limiter = new Limiter({ maxPerClient: Infinity });

async function memory(): Promise<number> {
  // The buffers of arrays are given back by and by.
  for (let i = 0; i < 5; i++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  // Bun counts the buffers of arrays as external, and V8 as both.
  return heapUsed + ("Bun" in globalThis ? 0 : Math.max(external, arrayBuffers));
}

async function measure(
  make: () => ReturnType<typeof TimedConns.of>,
  rest = REST_MS,
): Promise<[bytes: number, percent: number]> {
  const list = make();
  const conns: Counted[] = Array.from({ length: CONNECTIONS }, () => ({ bytes: 0, [OPEN_CONN]: undefined }));
  const before = await memory();
  for (const conn of conns) OpenConn.bind(conn, limiter.accept("192.0.2.7"), list);
  const bytes = (await memory() - before) / CONNECTIONS;
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const start = process.cpuUsage();
  const since = performance.now();
  await new Promise((resolve) => setTimeout(resolve, rest));
  const { user, system } = process.cpuUsage(start);
  const percent = (user + system) / 10 / (performance.now() - since);
  for (const conn of conns) conn[OPEN_CONN]!.end();
  return [bytes, percent];
}

// The first list of a process costs more, whichever it is.
await measure(KINDS.plain, 100);
const figures: Record<string, [number, number]> = {};
for (const [kind, make] of Object.entries(KINDS)) figures[kind] = await measure(make);
printLine(figures);
