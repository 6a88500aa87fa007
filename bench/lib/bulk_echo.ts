/**
 * Bulk data that a server echoes.
 *
 * @module
 */

import type { Server } from "./servers.ts";

const BYTES = 256 << 20;
const CHUNK = 256 << 10;

/** The throughput of one connection. */
export async function megabytesPerSecond({ ports: [port] }: Server): Promise<number> {
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
