/**
 * The server of `two_doors.ts` on Bun's own sockets.
 *
 *   bun bench/two_doors_bun.ts bare
 *   bun bench/two_doors_bun.ts limited MAX_PER_CLIENT
 *   bun bench/two_doors_bun.ts loop MAX_PER_CLIENT
 *
 * `bare` and `limited` are callbacks, `loop` is an accept loop.
 *
 * @module
 */

import process from "node:process";
import { limitedListener, Limiter } from "../mod.ts";
import { type BunConn, limitSocketHandler, listen } from "../src/bun/mod.ts";
import { tell } from "./tell.ts";

const [mode, maxPerClient] = process.argv.slice(2);
const limiter = new Limiter({ maxPerClient: Number(maxPerClient ?? Infinity) });
const where = { hostname: "127.0.0.1", port: 0 };

let served = 0;

const closing: Bun.SocketHandler = {
  open(socket) {
    served++;
    socket.end();
  },
  data() {},
};

const keeping: Bun.SocketHandler = { data: (socket, data) => void socket.write(data) };

async function closeAll(conns: AsyncIterable<BunConn>) {
  for await (const conn of conns) {
    served++;
    conn.close();
  }
}

async function keepAll(conns: AsyncIterable<BunConn>) {
  for await (const conn of conns) echo(conn).catch(() => {});
}

async function echo(conn: BunConn) {
  using _ = conn;
  const buffer = new Uint8Array(64);
  for (let count; (count = await conn.read(buffer)) !== null;) {
    await conn.write(buffer.subarray(0, count));
  }
}

if (mode === "loop") {
  const [flooded, kept] = [listen(where), listen(where)].map((listener) => limitedListener(listener, limiter));
  closeAll(flooded!);
  keepAll(kept!);
  tell([flooded!.addr.port, kept!.addr.port], () => served);
} else {
  const ports = [closing, keeping].map((handlers) => {
    const socket = mode === "limited" ? limitSocketHandler(limiter, handlers) : handlers;
    return Bun.listen({ ...where, socket }).port;
  });
  tell(ports, () => served);
}
