/**
 * An echo server on all cores, with at most ten connections for each client: each child process listens on the same port.
 *
 *   bun examples/bun_processes.ts
 *
 * Try it with `nc localhost 7000`. For processes on one port Bun needs Linux.
 *
 * @module
 */

import { fork } from "node:child_process";
import { limitedListener } from "@connlimit/connlimit";
import type { BunConn } from "@connlimit/connlimit/bun";
import { ChannelStore, MemoryStore, StoreLimiter } from "@connlimit/connlimit/shared";

if (process.send === undefined) {
  const store = new MemoryStore(); // what is open, at all processes
  for (let i = 0; i < navigator.hardwareConcurrency; i++) store.serve(fork(import.meta.path));
} else {
  process.on("disconnect", () => process.exit()); // the parent has ended
  const limiter = new StoreLimiter({ maxPerClient: 10 }, new ChannelStore());
  const options = { hostname: "0.0.0.0", port: 7000, reusePort: true, allowHalfOpen: true };
  for await (const conn of limitedListener(Bun.listen({ ...options, socket: { data() {} } }), limiter)) {
    echo(conn);
  }
}

async function echo(conn: BunConn) {
  using _ = conn; // closes the connection and gives its slot back
  await conn.readable.pipeTo(conn.writable).catch(() => {}); // a reset ends this connection, not the server
}
