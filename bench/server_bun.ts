/**
 * A server of Bun's to put load on, in a process of its own so that its CPU time is its own.
 *
 *   bun bench/server_bun.ts MODE
 *
 * Prints its port. For each line on standard input it prints how many connections it has served and how many
 * microseconds of CPU time it has used since it started.
 *
 * @module
 */

import process from "node:process";
import { limitedListener, Limiter } from "../mod.ts";
import { limitSocketHandler, listen } from "../src/bun/mod.ts";
import type { BunMode } from "./bun_mode.ts";
import { tell } from "./tell.ts";

/** A server: its port, and how many connections it has served. */
type Subject = [port: number, served: () => number];

const where = { hostname: "0.0.0.0", port: 0 };

let closed = 0;

/** The user's side of callbacks, with limits and without. */
const callbacks: Bun.SocketHandler = {
  open: (socket) => void socket.end(),
  close: () => void closed++,
  data() {},
};

/** An echo that writes what it reads, and reads on when all is written. */
const echo: Bun.SocketHandler<{ rest: Uint8Array | undefined }> = {
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

const SUBJECTS: Record<BunMode, () => Subject> = {
  "bare": () => [Bun.listen({ ...where, socket: callbacks }).port, () => closed],
  "admit": () => [
    Bun.listen({ ...where, socket: limitSocketHandler({ maxPerClient: Infinity }, callbacks) }).port,
    () => closed,
  ],
  "refuse"() {
    const limiter = new Limiter({ maxPerClient: 0 });
    const { port } = Bun.listen({ ...where, socket: limitSocketHandler(limiter, callbacks) });
    return [port, () => limiter.stats().refused];
  },
  "refuse in loop"() {
    const { addr, limiter } = limitedListener(Bun.listen({ ...where, socket: { data() {} } }), { maxPerClient: 0 });
    return [addr.port, () => limiter.stats().refused];
  },
  "echo raw": () => [Bun.listen({ ...where, data: { rest: undefined }, socket: echo }).port, () => 0],
  "echo streams"() {
    const listener = limitedListener(listen(where), {});
    (async () => {
      for await (const conn of listener) conn.readable.pipeTo(conn.writable).catch(() => {});
    })();
    return [listener.addr.port, () => 0];
  },
};

const [port, served] = SUBJECTS[process.argv[2] as BunMode]();
tell([port], served);
