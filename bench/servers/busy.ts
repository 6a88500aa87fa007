/**
 * A server that works for each message: a byte `n` is echoed after `n / 4` milliseconds of work. The naive one counts
 * connections by address in a map, and closes those beyond the limit.
 *
 *   deno run -A bench/servers/busy.ts "accept loop" naive MAX_PER_CLIENT
 *   bun bench/servers/busy.ts callbacks limited MAX_PER_CLIENT
 *   node bench/servers/busy.ts node:net limited MAX_PER_CLIENT
 *
 * @module
 */

import { type AddressInfo, createServer, type Socket as NodeSocket } from "node:net";
import process from "node:process";
import type { ConnLike } from "../../mod.ts";
import { serveCommands } from "../lib/commands.ts";
import { loadBun, loadCore, loadNode } from "../lib/library.ts";
import { mapBaseline } from "../lib/map_baseline.ts";
import { bun, type Socket } from "./bun.ts";

/** A socket of Bun's that naive callbacks have counted. */
type CountedSocket = Omit<Socket, "data"> & { readonly remoteAddress: string; data: (() => void) | undefined };

const [way, mode, max] = process.argv.slice(2);
const maxPerClient = Number(max);
const where = { hostname: "127.0.0.1", port: 0 };
const admit = mapBaseline(maxPerClient);

function work(message: Uint8Array): Uint8Array {
  const end = performance.now() + message[0]! / 4;
  while (performance.now() < end);
  return message;
}

async function serve(conn: ConnLike): Promise<void> {
  using _ = conn;
  const buffer = new Uint8Array(1);
  while (await conn.read(buffer) !== null) await conn.write(work(buffer));
}

async function serveNaively(conns: AsyncIterable<Deno.TcpConn>): Promise<void> {
  for (;;) {
    try {
      for await (const conn of conns) {
        const free = admit(conn.remoteAddr.hostname);
        if (free === undefined) conn.close();
        else serve(conn).catch(() => {}).finally(free);
      }
    } catch (error) {
      // Deno's own iterator ends when a connection is reset before it is accepted.
      if (!(error instanceof Deno.errors.NotConnected)) throw error;
    }
  }
}

async function serveLimited(conns: AsyncIterable<ConnLike>): Promise<void> {
  for await (const conn of conns) serve(conn).catch(() => {});
}

const callbacks = {
  data: (socket: CountedSocket, data: Uint8Array) => void socket.write(work(data)),
};

const countingCallbacks = {
  ...callbacks,
  open(socket: CountedSocket) {
    socket.data = admit(socket.remoteAddress);
    if (socket.data === undefined) socket.end();
  },
  close: (socket: CountedSocket) => socket.data?.(),
};

function keep(socket: NodeSocket): void {
  socket.on("error", () => {});
  socket.on("data", (data: Uint8Array) => socket.write(work(data)));
}

function keepNaively(socket: NodeSocket): void {
  const free = admit(`${socket.remoteAddress}`);
  if (free === undefined) return void socket.destroy();
  socket.on("close", free);
  keep(socket);
}

/** @returns The port. */
async function listen(): Promise<number> {
  const { Limiter, limitedListener } = await loadCore();
  const limiter = new Limiter({ maxPerClient });
  if (way === "node:net") {
    const server = createServer(mode === "naive" ? keepNaively : keep);
    if (mode !== "naive") (await loadNode()).limitServer(server, limiter);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
  }
  if (bun === undefined) {
    const listener = Deno.listen(where);
    if (mode === "naive") serveNaively(listener);
    else serveLimited(limitedListener(listener, limiter));
    return listener.addr.port;
  }
  const { limitSocketHandler, listen } = await loadBun();
  if (mode === "naive") return bun.listen({ ...where, socket: countingCallbacks }).port;
  if (way === "callbacks") {
    return bun.listen({ ...where, socket: limitSocketHandler(limiter, callbacks as object) }).port;
  }
  const listener = limitedListener(listen(where), limiter);
  serveLimited(listener);
  return listener.addr.port;
}

listen().then((port) => serveCommands({ ports: [port] }));
