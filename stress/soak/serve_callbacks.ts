/**
 * A server of Bun's that echoes, written with callbacks.
 *
 * @module
 */

import type { Limiter } from "../../mod.ts";
import { limitSocketHandler } from "../../src/bun/mod.ts";
import { behaviourOf } from "./echo_behaviour.ts";

/** What is used of Bun's sockets, in the absence of Bun's types. */
interface Socket {
  readonly remotePort?: number;
  /** What could not be written yet. */
  data: Uint8Array | undefined;
  write(data: Uint8Array): number;
  pause(): void;
  resume(): void;
  shutdown(): void;
  end(): void;
  close(): void;
  terminate(): void;
}

interface Runtime {
  readonly Bun: { listen(options: object): { port: number } };
}

/** Whose first word is the last. */
const brief = new WeakSet<Socket>();

const handlers = {
  open(socket: Socket) {
    switch (behaviourOf(socket.remotePort ?? 1)) {
      case "echo":
        return;
      case "close":
        return socket.close();
      case "close later":
        return void brief.add(socket);
      case "cancel":
        return socket.end();
      case "abort":
        return socket.terminate();
      case "end":
        throw new Error("from open");
    }
  },

  data(socket: Socket, data: Uint8Array) {
    if (brief.has(socket)) return socket.close();
    const count = socket.write(data);
    if (count < 0 || count === data.length) return;
    socket.data = data.subarray(count);
    socket.pause();
  },

  drain(socket: Socket) {
    const rest = socket.data;
    if (rest === undefined) return;
    const count = socket.write(rest);
    socket.data = count < 0 || count === rest.length ? undefined : rest.subarray(count);
    if (socket.data === undefined) socket.resume();
  },

  // While something is left to be written it is paused and does not hear of the end.
  end: (socket: Socket) => socket.end(),

  error() {},
};

/** Listens. Returns the port. */
export function serveByCallbacks(limiter: Limiter | undefined, hostname: string): number {
  const { Bun } = globalThis as unknown as Runtime;
  const socket = limiter === undefined ? handlers : limitSocketHandler(limiter, handlers, { onError() {} });
  return Bun.listen({ hostname, port: 0, allowHalfOpen: true, data: undefined, socket }).port;
}
