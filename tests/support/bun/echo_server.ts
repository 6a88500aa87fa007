/**
 * An echo server, in a process of its own: what memory it takes is its own.
 *
 *   bun tests/bun/echo_server.ts '{"tls":false,"halfOpen":true}'
 *
 * It prints its port.
 *
 * @module
 */

import { limited } from "./limited.ts";

const listener = limited(JSON.parse(process.argv[2]!), { maxPerClient: 1 });
console.log(listener.addr.port);
for await (const conn of listener) conn.readable.pipeTo(conn.writable).catch(() => {});
