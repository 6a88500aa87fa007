/**
 * How fast do the streams of connections on Bun send back what comes, compared with callbacks that write what they read?
 *
 * @module
 */

import { measureInRounds } from "./lib/rounds.ts";
import { printRatio } from "./lib/rows.ts";
import { Server } from "./lib/servers.ts";
import type { EchoMode } from "./servers/bun_echo.ts";

const BYTES = 256 << 20;
const CHUNK = 256 << 10;

/** Measures the throughput. */
export async function benchEcho(rounds: number): Promise<void> {
  const start = (mode: EchoMode) => Server.start({ file: "bun_echo.ts", runtime: "Bun", args: [mode] });
  const { callbacks, streams } = await measureInRounds(
    start,
    ["callbacks", "streams"] as const,
    rounds,
    megabytesPerSecond,
  );
  printRatio("Bun, echo by streams, against callbacks", streams, callbacks, "MB/s", { atLeast: 0.85 });
}

async function megabytesPerSecond({ ports: [port] }: Server): Promise<number> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const start = performance.now();
  await Promise.all([send(conn), receive(conn)]);
  return BYTES / 1_000 / (performance.now() - start);
}

async function send(conn: Deno.Conn): Promise<void> {
  const chunk = new Uint8Array(CHUNK);
  for (let sent = 0; sent < BYTES;) sent += await conn.write(chunk);
}

async function receive(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(CHUNK);
  for (let received = 0; received < BYTES;) {
    const count = await conn.read(buffer);
    if (count === null) throw new Error("the server has closed the connection");
    received += count;
  }
}
