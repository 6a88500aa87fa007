/**
 * An echo server with at most ten connections for each client: the shortest useful server.
 *
 *   deno run --allow-net examples/echo.ts
 *
 * Try it with `nc localhost 7000`.
 *
 * @module
 */

import { limitedListener } from "@connlimit/connlimit";

for await (const conn of limitedListener(Deno.listen({ port: 7000 }), { maxPerClient: 10 })) {
  echo(conn);
}

async function echo(conn: Deno.Conn) {
  using _ = conn; // closes the connection and gives its slot back
  await conn.readable.pipeTo(conn.writable).catch(() => {}); // a reset ends this connection, not the server
}
