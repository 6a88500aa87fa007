/**
 * An echo server on Bun.
 *
 *   bun bench/servers/bun_echo.ts MODE
 *
 * @module
 */

import process from "node:process";
import { serveCommands } from "../lib/commands.ts";
import { loadBun, loadCore } from "../lib/library.ts";
import { bun, type Handlers } from "./bun.ts";

/** By callbacks of Bun's without limits, or by the streams of an accept loop with limits. */
export type EchoMode = "callbacks" | "streams";

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

if (process.argv[2] === "callbacks") {
  const { port } = bun.listen({ ...where, data: { rest: undefined }, socket: echo });
  serveCommands({ ports: [port] });
} else {
  const [{ limitedListener }, { listen }] = [await loadCore(), await loadBun()];
  const listener = limitedListener(listen(where), {});
  serveCommands({ ports: [listener.addr.port] });
  for await (const conn of listener) conn.readable.pipeTo(conn.writable).catch(() => {});
}
