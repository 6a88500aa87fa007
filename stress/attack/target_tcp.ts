/**
 * A TCP server under attack, on Deno or Bun: it echoes, or after a first `s` writes without end.
 *
 *   deno run -A stress/attack/target_tcp.ts ATTACK MODE
 *
 * @module
 */

import { type ConnLike, limitedListener } from "../../mod.ts";
import { limitSocketHandler, listen } from "../../src/bun/mod.ts";
import { CHUNK, hooks, limiter, mode, nextChunk, serveState, work, works } from "./target.ts";

const where = { hostname: "0.0.0.0", port: 0 };
const STREAM = "s".charCodeAt(0);

/** What is used here of Bun's own sockets. */
interface Socket {
  data: { streams: boolean } | undefined;
  write(data: Uint8Array): number;
  end(): void;
}

const callbacks = {
  open(socket: Socket): void {
    socket.data = undefined;
  },
  data(socket: Socket, data: Uint8Array): void {
    work();
    socket.data ??= { streams: data[0] === STREAM };
    if (socket.data.streams) write(socket);
    else socket.write(data);
  },
  drain(socket: Socket): void {
    if (socket.data?.streams) write(socket);
  },
};

async function write(socket: Socket): Promise<void> {
  while (socket.write(await nextChunk()) === CHUNK.length);
}

async function serveAll(conns: AsyncIterable<ConnLike>): Promise<void> {
  for await (const conn of conns) serve(conn).catch(() => {});
}

async function serve(conn: ConnLike): Promise<void> {
  using _ = conn;
  const buffer = new Uint8Array(1 << 10);
  const count = await conn.read(buffer);
  if (count === null) return;
  if (buffer[0] === STREAM) return await endless().pipeTo(conn.writable);
  work();
  await conn.write(buffer.subarray(0, count));
  await (works ? conn.readable.pipeThrough(working()) : conn.readable).pipeTo(conn.writable);
}

function working(): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  return new TransformStream({
    transform(chunk, controller) {
      work();
      controller.enqueue(chunk);
    },
  });
}

function endless(): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({ pull: async (controller) => controller.enqueue(await nextChunk()) }, {
    highWaterMark: 0,
  });
}

const { Bun } = globalThis as { Bun?: { listen(options: object): { port: number } } };
if (Bun === undefined) {
  const listener = Deno.listen(where);
  serveAll(mode === "bare" ? listener : limitedListener(listener, limiter, hooks));
  serveState(listener.addr.port);
} else if (mode === "limited") {
  const listener = limitedListener(listen(where), limiter, hooks);
  serveAll(listener);
  serveState(listener.addr.port);
} else {
  const socket = mode === "bare" ? callbacks : limitSocketHandler(limiter, callbacks as object, hooks);
  serveState(Bun.listen({ ...where, socket }).port);
}
