/**
 * Measures one of those who count, in a process of its own.
 *
 *   deno run --config bench/peers/deno.json -A --v8-flags=--expose-gc bench/peers/counting_subject.ts NAME FAMILY CLIENTS
 *
 * Prints a {@linkcode CountingSample} as JSON.
 *
 * @module
 */

import { heapUsed } from "../../testing/memory.ts";
import { printLine } from "../lib/commands.ts";
import { addressSource, type Family } from "./client_addresses.ts";
import { type AsyncCounter, type Counter, type SubjectName, SUBJECTS } from "./counting_subjects.ts";
import { asyncPasses, passes } from "./passes.ts";
import { nanoseconds } from "./timing.ts";

/** What was measured of one subject with so many clients. */
export interface CountingSample {
  /** Nanoseconds to admit a connection of one client while the others come and go, and to give its place back. */
  readonly accept: number;
  /** Nanoseconds to refuse a second connection of one client, while every client holds one. */
  readonly refuse: number;
  /** Bytes for each client that holds a connection. */
  readonly held: number;
  /** Bytes for each client that has gone. */
  readonly left: number;
}

/** Between two looks at the clock there are so many operations at least. */
const OPERATIONS = 10_000;

const [name, family, count] = Deno.args as [SubjectName, Family, string];
const clients = Number(count);
printLine(await measure(SUBJECTS[name](clients)));

async function measure(counter: Counter | AsyncCounter): Promise<CountingSample> {
  const pass = "waits" in counter ? asyncPasses(counter, clients) : passes(counter, clients);
  const source = addressSource(family, clients, Math.ceil(OPERATIONS / clients));

  const ips = source();
  const operations = ips.length;
  ips.length = clients;

  const before = heapUsed();
  expect(await pass.accept(ips), clients);
  const held = (heapUsed() - before) / clients;
  const refuse = await nanoseconds(operations, source, async (ips) => expect(await pass.accept(ips), 0));
  await pass.release();
  const left = (heapUsed() - before) / clients;
  const accept = await nanoseconds(
    operations,
    source,
    async (ips) => expect(await pass.acceptAndRelease(ips), operations),
  );
  return { accept, refuse, held, left };
}

function expect(admitted: number, expected: number): void {
  if (admitted !== expected) {
    throw new Error(`${name} admitted ${admitted} connections, not ${expected}`);
  }
}
