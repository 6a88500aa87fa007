/**
 * How fast do streams send back what comes, against handlers that write what they read?
 *
 * @module
 */

import type { BunMode } from "./bun_mode.ts";
import { Server } from "./load.ts";
import { measureInRounds } from "./rounds.ts";

const BYTES = 256 << 20;
const CHUNK = 256 << 10;

/** Megabytes a second, by mode, a figure a round. */
export function measure<M extends BunMode>(modes: readonly M[], rounds: number): Promise<Record<M, number[]>> {
  return measureInRounds((mode) => Server.start("server_bun.ts", mode, "Bun"), modes, rounds, measureOnce);
}

async function measureOnce({ port }: Server): Promise<number> {
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
