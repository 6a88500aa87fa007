/**
 * An echo server on all cores, with at most ten connections for each client: each worker listens on the same port.
 *
 *   deno run --allow-net --allow-read --allow-sys --unstable-net examples/deno_workers.ts
 *
 * Try it with `nc localhost 7000`.
 *
 * @module
 */

import { limitedListener } from "@connlimit/connlimit";
import { ChannelStore, MemoryStore, StoreLimiter } from "@connlimit/connlimit/shared";

// `import.meta.main` is true in workers, too.
if (!("WorkerGlobalScope" in globalThis)) {
  const store = new MemoryStore(); // what is open, at all workers
  for (let i = 0; i < navigator.hardwareConcurrency; i++) {
    store.serve(new Worker(import.meta.url, { type: "module" }));
  }
} else {
  const limiter = new StoreLimiter({ maxPerClient: 10 }, new ChannelStore());
  for await (const conn of limitedListener(Deno.listen({ port: 7000, reusePort: true }), limiter)) {
    echo(conn);
  }
}

async function echo(conn: Deno.Conn) {
  using _ = conn; // closes the connection and gives its slot back
  await conn.readable.pipeTo(conn.writable).catch(() => {}); // a reset ends this connection, not the server
}
