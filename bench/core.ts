/**
 * What does counting a connection cost in CPU time and in memory, compared with a hand-written map of counts?
 *
 * @module
 */

import { Child } from "./lib/child.ts";
import { printRatio, printRow } from "./lib/rows.ts";
import type { CoreTimes, CoreWork } from "./micro/core_program.ts";
import type { Policy, PolicyTimes } from "./micro/policies_program.ts";

/** Times the core of a library in a new process. */
export async function timeCore(library?: URL): Promise<CoreTimes> {
  return await Child.result<CoreTimes>(new URL("micro/core_program.ts", import.meta.url), [], { library });
}

/** Measures the time. */
export async function benchCore(rounds: number): Promise<void> {
  const times: CoreTimes[] = [];
  for (let round = 0; round < rounds; round++) times.push(await timeCore());
  const compare = (work: string, of: CoreWork, reference: CoreWork, atMost: number) =>
    printRatio(work, times.map((time) => time[of]), times.map((time) => time[reference]), "ns", { atMost });
  compare("accept + release, 10,000 IPv4 clients", "accept + release, IPv4", "map, IPv4", 1.3);
  compare("accept + release, 10,000 IPv6 clients", "accept + release, IPv6", "map, IPv6", 4);
  compare("refuse one client at its limit", "refuse", "accept + release, IPv4", 0.3);
  await benchPolicies(rounds);
}

async function benchPolicies(rounds: number): Promise<void> {
  const program = new URL("micro/policies_program.ts", import.meta.url);
  const times: PolicyTimes[] = [];
  for (let round = 0; round < rounds; round++) times.push(await Child.result<PolicyTimes>(program, []));
  const compare = (policy: Policy, atMost: number) =>
    printRatio(
      `accept + release, 10,000 clients: ${policy}`,
      times.map((time) => time[policy]),
      times.map((time) => time.none),
      "ns",
      { atMost },
    );
  compare("rate, known clients", 1.5);
  compare("rate, new clients", 1.5);
  compare("fairShare", 1.05);
  compare("dryRun", 1.05);
}

/** Measures the memory. */
export async function benchMemory(): Promise<void> {
  const v8Flags = ["--expose-gc", "--max-old-space-size=4000"];
  const program = new URL("micro/memory_program.ts", import.meta.url);
  const [ipv4, ipv6] = await Child.result<[number, number]>(program, [], { v8Flags });
  printRow("1 M IPv4 clients held, each", ipv4, "bytes", { atMost: 200 });
  printRow("1 M IPv6 clients held, each", ipv6, "bytes", { atMost: 200 });
}
