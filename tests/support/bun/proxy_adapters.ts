/**
 * Bun's listeners behind a proxy.
 *
 * @module
 */

import { limitSocketHandler, listen } from "@connlimit/connlimit/bun";
import { proxyOf } from "@connlimit/connlimit/proxy";
import { type Adapter, type Seen, serveListener, type Server, type Setup } from "../proxy/proxied.ts";
import { within } from "../net.ts";

/** Where a server listens, as Bun wants it. Its types have an overload for each, and none for either. */
const at = ({ path }: Setup) =>
  (path === undefined ? { hostname: "127.0.0.1", port: 0 } : { unix: path }) as { hostname: string; port: number };

/** An echo server of callbacks, which holds back what does not fit. */
function serveHandlers(setup: Setup, binaryType: "buffer" | "uint8array" | "arraybuffer"): Server {
  const { limiter, hooks, client } = setup;
  const seen: Seen[] = [];
  const unsent = new Map<Bun.Socket, Uint8Array>();
  const flush = (socket: Bun.Socket, data: Uint8Array) => {
    const rest = data.subarray(Math.max(0, socket.write(data)));
    if (rest.length > 0) unsent.set(socket, rest);
    else unsent.delete(socket);
  };
  const listener = Bun.listen({
    ...at(setup),
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
        Bun.listen({ ...at(setup), allowHalfOpen: true, socket: { data() {} } }) as never,
        setup,
      ),
  },
  {
    name: "listen()",
    serve: (setup) =>
      setup.path === undefined
        ? serveListener(listen({ hostname: "127.0.0.1", port: 0 }), setup)
        : serveListener(listen({ transport: "unix", path: setup.path }) as never, setup),
  },
  { name: "callbacks", serve: (setup) => serveHandlers(setup, "buffer") },
  { name: "callbacks with arrays of bytes", serve: (setup) => serveHandlers(setup, "uint8array") },
  { name: "callbacks with array buffers", serve: (setup) => serveHandlers(setup, "arraybuffer") },
];
