/**
 * How long does an established client wait for an echo while a thousand connections in flight are admitted or refused?
 *
 * @module
 */

import type { LoadGenerator } from "./lib/load_generator.ts";
import { measureInRounds } from "./lib/rounds.ts";
import { printRow } from "./lib/rows.ts";
import { bareServer, type Fate, FATES, flood, limitedServer, Server, type ServerSpec } from "./lib/servers.ts";
import { median, quantile } from "./lib/statistics.ts";

const WINDOW = { inFlight: 1_000, echoes: true, warmUp: 500, window: 1_500 } as const;

const SERVERS: Readonly<Record<"bare" | Fate, ServerSpec>> = {
  bare: bareServer("Deno", "accept loop"),
  admitted: limitedServer("Deno", "accept loop", FATES.admitted.maxPerClient),
  refused: limitedServer("Deno", "accept loop", FATES.refused.maxPerClient),
};

/** Measures the 99th percentile on Deno. */
export async function benchLatency(load: LoadGenerator, rounds: number): Promise<void> {
  const start = async (mode: "bare" | Fate) => {
    const server = await Server.start(SERVERS[mode]);
    return { server, mode, [Symbol.dispose]: () => server[Symbol.dispose]() };
  };
  const figures = await measureInRounds(start, ["bare", "admitted", "refused"] as const, rounds, async (running) => {
    const fate = running.mode === "refused" ? "refused" : "admitted";
    const { echoes, cpu, milliseconds } = await flood(load, running.server, fate, WINDOW);
    return { p99: quantile(echoes, 0.99), busy: cpu[0]! / milliseconds / 1_000 };
  }, 1);
  const [bare, admitted, refused] = (["bare", "admitted", "refused"] as const).map((mode) =>
    median(figures[mode].map(({ p99 }) => p99))
  ) as [number, number, number];
  // A server that is not busy has no backlog, and then no loop makes its clients wait.
  const busy = median(figures.bare.map(({ busy }) => busy));
  const detail = `bare loop: ${bare.toFixed(1)} ms, busy for ${(busy * 100).toFixed(0)} % of the time`;
  printRow("Deno, echo p99 while 1,000 in flight are refused", refused, "ms", { atMost: 3 }, detail);
  printRow("Deno, echo p99 while 1,000 in flight are admitted", admitted, "ms", { atMost: bare }, detail);
}
