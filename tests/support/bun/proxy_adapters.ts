/**
 * Bun's listeners behind a proxy.
 *
 * @module
 */

import { limitSocketHandler, listen } from "@connlimit/connlimit/bun";
import { proxyOf } from "@connlimit/connlimit/proxy";
import { type Adapter, type Seen, serveListener, type Server, type Setup } from "../proxy/proxied.ts";
import { within } from "../net.ts";

/** An echo server of callbacks, which holds back what does not fit. */
function serveHandlers({ limiter, hooks, client }: Setup, binaryType: "buffer" | "uint8array" | "arraybuffer"): Server {
  const seen: Seen[] = [];
  const unsent = new Map<Bun.Socket, Uint8Array>();
  const flush = (socket: Bun.Socket, data: Uint8Array) => {
    const rest = data.subarray(Math.max(0, socket.write(data)));
    if (rest.length > 0) unsent.set(socket, rest);
    else unsent.delete(socket);
  };
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: limitSocketHandler(limiter, {
      binaryType,
      open(socket: Bun.Socket) {
        seen.push({ address: socket.remoteAddress, port: socket.remotePort, proxy: proxyOf(socket) });
      },
      data(socket: Bun.Socket, data: Uint8Array | ArrayBuffer) {
        const before = unsent.get(socket) ?? new Uint8Array(0);
        const chunk = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
        if ((data instanceof ArrayBuffer) !== (binaryType === "arraybuffer")) socket.terminate();
        flush(socket, Buffer.concat([before, chunk]));
      },
      drain: (socket: Bun.Socket) => flush(socket, unsent.get(socket) ?? new Uint8Array(0)),
      close: (socket: Bun.Socket) => void unsent.delete(socket),
    }, { ...hooks, client } as never) as never,
  });
  return {
    port: listener.port,
    seen,
    async [Symbol.asyncDispose]() {
      listener.stop(true);
      await within(limiter.idle(), "the sockets to close");
    },
  };
}

/** All of them. */
export const BUN_ADAPTERS: readonly Adapter[] = [
  {
    name: "Bun.listen",
    serve: (setup) =>
      serveListener(
        Bun.listen({ hostname: "127.0.0.1", port: 0, allowHalfOpen: true, socket: { data() {} } }) as never,
        setup,
      ),
  },
  { name: "listen()", serve: (setup) => serveListener(listen({ hostname: "127.0.0.1", port: 0 }), setup) },
  { name: "callbacks", serve: (setup) => serveHandlers(setup, "buffer") },
  { name: "callbacks with arrays of bytes", serve: (setup) => serveHandlers(setup, "uint8array") },
  { name: "callbacks with array buffers", serve: (setup) => serveHandlers(setup, "arraybuffer") },
];
