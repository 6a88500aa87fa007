/**
 * An echo server with limits, by an accept loop, by callbacks or of `node:net`, with deadlines or without.
 *
 *   deno run -A bench/servers/timed_echo.ts loop|callbacks|net timed|plain streams|reads
 *
 * @module
 */

import { type AddressInfo, createServer } from "node:net";
import process from "node:process";
import type { ConnLike } from "../../mod.ts";
import type { SocketHandlers } from "../../src/bun/mod.ts";
import { serveCommands } from "../lib/commands.ts";
import { loadBun, loadCore, loadNode } from "../lib/library.ts";
import { bun } from "./bun.ts";

const [way, deadlines, io] = process.argv.slice(2);

async function echoReads(conn: ConnLike): Promise<void> {
  using _ = conn;
  const buffer = new Uint8Array(64 * 1024);
  for (let count; (count = await conn.read(buffer)) !== null;) {
    for (let rest = buffer.subarray(0, count); rest.length > 0;) rest = rest.subarray(await conn.write(rest));
  }
}

const echo: SocketHandlers = {
  open: (socket) => void (socket.data = { rest: undefined }),
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

const where = { hostname: "127.0.0.1", port: 0 };
const limits = { maxPerClient: Infinity };
const options = deadlines === "timed" ? { firstByteTimeout: 120_000, idleTimeout: 60_000, maxAge: 3_600_000 } : {};
const { limitedListener } = await loadCore();
if (way === "callbacks") {
  const { limitSocketHandler } = await loadBun();
  const { port } = bun.listen({
    ...where,
    data: undefined,
    socket: limitSocketHandler(limits, echo, options) as never,
  });
  serveCommands({ ports: [port] });
} else if (way === "net") {
  const { limitServer } = await loadNode();
  const server = createServer((socket) => socket.on("error", () => {}).pipe(socket));
  limitServer(server, limits, options);
  server.listen(0, "127.0.0.1", () => serveCommands({ ports: [(server.address() as AddressInfo).port] }));
} else {
  const listen = ("Bun" in globalThis ? (await loadBun()).listen : Deno.listen) as unknown as typeof Deno.listen;
  const listener = limitedListener(listen(where), limits, options);
  serveCommands({ ports: [listener.addr.port] });
  const serve = io === "reads" ? echoReads : (conn: ConnLike) => conn.readable.pipeTo(conn.writable);
  for await (const conn of listener) serve(conn).catch(() => {});
}
