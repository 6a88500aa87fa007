/**
 * How fast do streams send back what comes, against handlers that write what they read?
 *
 * @module
 */

import { Server } from "./load.ts";
import type { BunMode } from "./bun_mode.ts";

const BYTES = 256 << 20;
const CHUNK = 256 << 10;

/** Megabytes a second, by mode, a figure a round. The modes take turns in being first. */
export async function measure(modes: readonly BunMode[], rounds: number): Promise<Record<string, number[]>> {
  const results: Record<string, number[]> = Object.fromEntries(modes.map((mode) => [mode, []]));
  const servers = await Promise.all(modes.map((mode) => Server.start("server_bun.ts", mode, "Bun")));
  // The first round lets the servers' code be optimised.
  for (let round = -1; round < rounds; round++) {
    const turns = [...servers.entries()];
    for (const [index, server] of round % 2 === 0 ? turns : turns.toReversed()) {
      const figure = await measureOnce(server.port);
      if (round >= 0) results[modes[index]!]!.push(figure);
    }
  }
  for (const server of servers) server[Symbol.dispose]();
  return results;
}

async function measureOnce(port: number): Promise<number> {
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
