/**
 * An echo server on Bun.
 *
 *   bun bench/servers/bun_echo.ts MODE
 *
 * @module
 */

import process from "node:process";
import type { BunConn } from "../../src/bun/mod.ts";
import { serveCommands } from "../lib/commands.ts";
import { loadBun, loadCore } from "../lib/library.ts";
import { bun, type Handlers } from "./bun.ts";

/** By callbacks of Bun's without limits, or by an accept loop with limits: by streams, or by reads and writes. */
export type EchoMode = "callbacks" | "streams" | "reads";

const where = { hostname: "127.0.0.1", port: 0 };

/** Writes what it reads, and reads on when all is written. */
const echo: Handlers = {
  open(socket) {
    socket.data = { rest: undefined };
  },
  data(socket, data) {
    const count = socket.write(data);
    if (count === data.length) return;
    socket.data.rest = data.subarray(count);
    socket.pause();
  },
  drain(socket) {
    const { rest } = socket.data;
    if (rest === undefined) return;
    const count = socket.write(rest);
    socket.data.rest = count === rest.length ? undefined : rest.subarray(count);
    if (socket.data.rest === undefined) socket.resume();
  },
};

async function echoReads(conn: BunConn): Promise<void> {
  using _ = conn;
  const buffer = new Uint8Array(64 * 1024);
  for (let count; (count = await conn.read(buffer)) !== null;) {
    for (let rest = buffer.subarray(0, count); rest.length > 0;) rest = rest.subarray(await conn.write(rest));
  }
}

const mode = process.argv[2] as EchoMode;
if (mode === "callbacks") {
  const { port } = bun.listen({ ...where, data: { rest: undefined }, socket: echo });
  serveCommands({ ports: [port] });
} else {
  const [{ limitedListener }, { listen }] = [await loadCore(), await loadBun()];
  const listener = limitedListener(listen(where), {});
  serveCommands({ ports: [listener.addr.port] });
  const serve = mode === "reads" ? echoReads : (conn: BunConn) => conn.readable.pipeTo(conn.writable);
  for await (const conn of listener) serve(conn).catch(() => {});
}
