/**
 * An echo server on Bun with at most ten connections for each client: `examples/echo.ts` with one line different.
 *
 *   bun examples/bun_echo.ts
 *
 * Try it with `nc localhost 7000`.
 *
 * @module
 */

import { limitedListener } from "@connlimit/connlimit";
import { type BunConn, listen } from "@connlimit/connlimit/bun";

for await (const conn of limitedListener(listen({ port: 7000 }), { maxPerClient: 10 })) {
  echo(conn);
}

async function echo(conn: BunConn) {
  using _ = conn; // closes the connection and gives its slot back
  await conn.readable.pipeTo(conn.writable).catch(() => {}); // a reset ends this connection, not the server
}
