/**
 * An echo server that is to run out of file descriptors. Prints its port, and then how it is, over and over: Deno cannot
 * read its standard input while there are no descriptors, but it can write.
 *
 * @module
 */

import { limitedListener } from "@connlimit/connlimit";

// Deno 2.9.6 sets up its signals half a second after the start, and panics where it has no descriptors for that. This
// makes it do so now, since the test is about a server that has been running.
Deno.addSignalListener("SIGTERM", () => Deno.exit());

let errors = 0;
let code: unknown;
const listener = limitedListener(Deno.listen({ hostname: "127.0.0.1", port: 0 }), { maxPerClient: Infinity }, {
  onError(error) {
    errors++;
    code = (error as { code?: unknown }).code;
  },
});

console.log(listener.addr.port);
setInterval(() => {
  const { open, admitted } = listener.limiter.stats();
  const { acceptErrors } = listener;
  console.log(JSON.stringify({ time: performance.now(), open, admitted, errors, code, acceptErrors }));
}, 10);

for await (const conn of listener) conn.readable.pipeTo(conn.writable).catch(() => {});
