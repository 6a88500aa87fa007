/**
 * What does one more connection cost while many are open? Those are held by clients of their own, each echoed once, and
 * there are as many of them as the process may have descriptors.
 *
 * @module
 */

import { measureInRounds } from "../lib/rounds.ts";
import { median } from "../lib/statistics.ts";
import { cpuEach } from "../lib/servers.ts";
import type { Growth } from "./figures.ts";
import { LoadGenerator, type Phase } from "../lib/load_generator.ts";
import { NODE_SOCKETS, OWN_SOCKETS, type Running } from "./socket_subjects.ts";

const IN_FLIGHT = 64;
/** Descriptors for the flood, and for what a runtime needs itself. */
const HEADROOM = 500;
/** More would take too long to open. */
const MOST = 50_000;
const QUICK_MOST = 2_000;
/** How many of the most connections are open. */
const SHARES = [0, 1 / 8, 1 / 4, 1 / 2, 1];

/** Measures the cost of connections with ever more of them open. */
export async function measureOpenConnections(quick: boolean): Promise<Growth> {
  const most = Math.min(await descriptors() - HEADROOM, quick ? QUICK_MOST : MOST);
  const counts = SHARES.map((share) => Math.floor(most * share));
  const subjects = [...OWN_SOCKETS, ...NODE_SOCKETS.filter(({ by }) => by.startsWith("node:net on Node"))];
  const byName = new Map(subjects.map((subject) => [subject.by, subject]));
  using load = await LoadGenerator.start();
  const rounds = await measureInRounds(
    (by) => byName.get(by)!.start(IN_FLIGHT),
    [...byName.keys()],
    quick ? 1 : 3,
    (running, round) => measureOnce(load, running, counts, round, quick ? 80 : 200),
    0,
  );
  return {
    title: "What a connection costs while others are open",
    x: "open connections",
    y: "µs of CPU per connection, admitted and closed",
    series: Object.fromEntries(
      Object.entries(rounds).map(([by, costs]) => [
        by,
        counts.map((count, index) => [count, median(costs.map((cost) => cost[index]!))] as const),
      ]),
    ),
  };
}

/** Microseconds for each connection, by how many are open: there are more and more of them, or every other round fewer. */
async function measureOnce(
  load: LoadGenerator,
  { ports, pids }: Running,
  counts: readonly number[],
  round: number,
  milliseconds: number,
): Promise<number[]> {
  const phases = counts.map((held): Phase => ({
    held,
    inFlight: IN_FLIGHT,
    warmUp: milliseconds / 2,
    window: milliseconds,
  }));
  const inTurn = <T>(values: readonly T[]) => round % 2 === 0 ? [...values] : values.toReversed();
  const [first, ...others] = inTurn(phases) as [Phase, ...Phase[]];
  // The first is done twice, and its first time does not count, in which the server comes to life.
  const [, ...seen] = await load.observe({ of: "connections", ports, pids, phases: [first, first, ...others] });
  return inTurn(seen).map(cpuEach);
}

/** How many descriptors a process may have. */
async function descriptors(): Promise<number> {
  const limits = await Deno.readTextFile("/proc/self/limits");
  const [, soft] = /^Max open files +(\S+)/m.exec(limits)!;
  return soft === "unlimited" ? Infinity : Number(soft);
}
