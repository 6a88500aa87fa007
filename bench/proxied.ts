/**
 * How much CPU time does a connection with a header of the PROXY protocol cost, compared with the same server whose handlers
 * read the header by hand? And how long does an established client wait for an echo while headers are outstanding?
 *
 * @module
 */

import type { RuntimeName } from "../testing/runtimes.ts";
import type { LoadGenerator, Phase } from "./lib/load_generator.ts";
import { measureInRounds } from "./lib/rounds.ts";
import { printRatio } from "./lib/rows.ts";
import { cpuEach, Server, type ServerSpec, type Way } from "./lib/servers.ts";
import { quantile } from "./lib/statistics.ts";

/** Of version 2: 192.0.2.7 port 50000, to 10.0.0.1 port 443. */
const HEADER = [
  ...[0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a, 0x21, 0x11, 0, 12],
  ...[192, 0, 2, 7, 10, 0, 0, 1, 0xc3, 0x50, 1, 0xbb],
];

const MODES = ["by hand", "by option"] as const;
const WINDOW: Phase = { inFlight: 64, warmUp: 300, window: 500 };

function spec(runtime: RuntimeName, way: Way, mode: typeof MODES[number]): ServerSpec {
  return { file: "proxied.ts", runtime, args: [way, mode] };
}

const WAYS: readonly [runtime: RuntimeName, way: Way][] = [
  ["Deno", "accept loop"],
  ["Bun", "accept loop"],
  ["Bun", "callbacks"],
  ["Deno", "node:net"],
  ["Bun", "node:net"],
  ["Node", "node:net"],
];

/** Measures the CPU time. */
export async function benchProxied(load: LoadGenerator, rounds: number): Promise<void> {
  for (const [runtime, way] of WAYS) {
    const start = (mode: typeof MODES[number]) => Server.start(spec(runtime, way, mode));
    const figures = await measureInRounds(start, MODES, rounds, async ({ ports, pid }) => {
      const [seen] = await load.observe({ of: "connections", ports, pids: [pid], header: HEADER, phases: [WINDOW] });
      return cpuEach(seen!);
    });
    const work = `${runtime}, CPU per connection with a header, ${way}`;
    printRatio(work, figures["by option"], figures["by hand"], "µs", { atMost: 1.15 });
  }
}

/** Headers that are outstanding, which the option lets be pending. */
const PENDING = 1_000;
const ECHOES: Phase = { inFlight: 0, echoes: true, warmUp: 300, window: 1_000 };

/** Measures the 99th percentile of an echo. */
export async function benchPending(load: LoadGenerator, rounds: number): Promise<void> {
  for (const [runtime, way] of WAYS) {
    const start = () => Server.start(spec(runtime, way, "by option"));
    const { server } = await measureInRounds(start, ["server"] as const, rounds, async ({ ports, pid }) => {
      const plan = { of: "connections", ports, pids: [pid], header: HEADER } as const;
      const [nobody, pending] = await load.observe({ ...plan, phases: [ECHOES, { ...ECHOES, silent: PENDING - 1 }] });
      return [quantile(nobody!.echoes, 0.99), quantile(pending!.echoes, 0.99)] as const;
    }, 1);
    const work = `${runtime}, echo p99 with ${PENDING} headers pending, ${way}`;
    printRatio(work, server.map(([, p99]) => p99), server.map(([p99]) => p99), "ms", { atMost: 2 });
  }
}
