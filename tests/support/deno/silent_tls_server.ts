/**
 * A TLS server that limits connections, for `deno_acceptor_blind_spots_test.ts`. Prints its port, and then its state, over
 * and over.
 *
 *   deno run -A tests/support/deno/silent_tls_server.ts Deno.listenTls
 *   deno run -A tests/support/deno/silent_tls_server.ts node:tls
 *
 * @module
 */

import type { AddressInfo } from "node:net";
import { createServer } from "node:tls";
import { limitedListener, Limiter } from "@connlimit/connlimit";
import { limitServer } from "@connlimit/connlimit/node";
import { certificate } from "../net.ts";

// Deno 2.9 sets up its signals half a second after the start, and panics if it has no descriptors for that.
Deno.addSignalListener("SIGTERM", () => Deno.exit());

const limiter = new Limiter({ maxPerClient: 5 });
let failed = 0;

async function listen(): Promise<number> {
  if (Deno.args[0] === "Deno.listenTls") {
    const listener = limitedListener(Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...certificate() }), limiter, {
      onError: () => void failed++,
    });
    (async () => {
      for await (const conn of listener) conn.readable.pipeTo(conn.writable).catch(() => {});
    })();
    return listener.addr.port;
  }
  const server = createServer({ ...certificate(), handshakeTimeout: 1_000 }, (socket) => socket.pipe(socket));
  server.on("tlsClientError", (_, socket) => socket.destroy());
  limitServer(server, limiter);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

console.log(await listen());
setInterval(() => {
  const { open, refused } = limiter.stats();
  console.log(JSON.stringify({ open, refused, failed }));
}, 10);
