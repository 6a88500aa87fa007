/**
 * Thousands of connections with limited handlers that end in every way at once.
 *
 * @module
 */

import { limitSocketHandler } from "@connlimit/connlimit/bun";
import { testChaos } from "../support/bun/test_chaos.ts";
import { serve, type Socket } from "../support/bun/with_served.ts";
import { pick } from "../support/crowd.ts";

const ignore = () => {};

/** How handlers may treat a connection when it is open. */
const HANDLERS: readonly ((socket: Socket) => void)[] = [
  ignore,
  (socket) => void socket.end(),
  (socket) => void socket.end("good bye"),
  (socket) => socket.close(),
  (socket) => socket.terminate(),
  (socket) => socket.shutdown(),
  () => {
    throw new Error("from open");
  },
  (socket) => {
    socket.write(new Uint8Array(1 << 18));
    socket.end();
  },
  (socket) => {
    socket.write(new Uint8Array(1 << 20));
    socket.terminate();
  },
  (socket) => {
    socket.pause();
    setTimeout(() => socket.resume(), 1);
  },
  (socket) => {
    socket.pause();
    setTimeout(() => socket.close(), 1);
  },
  (socket) => socket.reload({ socket: handlers } as never),
];

/** What is the same for all connections: what comes is echoed, and the client's end is answered. */
const handlers = {
  data: (socket: Socket, chunk: Uint8Array) => void socket.write(chunk),
  end: (socket: Socket) => void socket.end(),
  error: ignore,
};

testChaos("limitSocketHandler()", (kind, limiter, random) => {
  const open = (socket: Socket) => pick(random, HANDLERS)(socket);
  const listener = serve(kind, limitSocketHandler(limiter, { ...handlers, open }));
  return { port: listener.port, [Symbol.dispose]: () => listener.stop() };
});
