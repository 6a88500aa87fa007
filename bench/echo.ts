/**
 * What do the streams, reads and writes of connections on Bun cost, compared with callbacks that write what they read: for
 * bulk data, and for small messages?
 *
 * @module
 */

import { megabytesPerSecond } from "./lib/bulk_echo.ts";
import type { LoadGenerator } from "./lib/load_generator.ts";
import { measureInRounds } from "./lib/rounds.ts";
import { printRatio } from "./lib/rows.ts";
import { cpuEach, message, Server, type ServerSpec } from "./lib/servers.ts";
import type { EchoMode } from "./servers/bun_echo.ts";

/** For the CPU time of a message. */
const WINDOW = { inFlight: 64, warmUp: 300, window: 500 } as const;

/** A server that echoes. */
export function echoServer(mode: EchoMode): ServerSpec {
  return { file: "bun_echo.ts", runtime: "Bun", args: [mode] };
}

/** Measures the throughput of bulk data, and the CPU time of small messages. */
export async function benchEcho(load: LoadGenerator, rounds: number): Promise<void> {
  const start = (mode: EchoMode) => Server.start(echoServer(mode));
  const bulk = await measureInRounds(start, ["callbacks", "streams"] as const, rounds, megabytesPerSecond);
  printRatio("Bun, echo by streams, against callbacks", bulk.streams, bulk.callbacks, "MB/s", { atLeast: 0.85 });
  const { callbacks, streams, reads } = await measureInRounds(
    start,
    ["callbacks", "streams", "reads"] as const,
    rounds,
    async (server) => cpuEach(await message(load, server, WINDOW)),
  );
  printRatio("Bun, CPU per echo of 64 bytes, streams", streams, callbacks, "µs", { atMost: 1.5 });
  printRatio("Bun, CPU per echo of 64 bytes, read() and write()", reads, callbacks, "µs", { atMost: 1.3 });
}
