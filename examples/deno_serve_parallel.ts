/**
 * A server for `deno serve --parallel`, which answers on all cores. Each client may have five requests in flight, in all.
 *
 *   deno serve --parallel --allow-net --port 8000 examples/deno_serve_parallel.ts
 *
 * Try it with `curl -N localhost:8000`, six times at once.
 *
 * @module
 */

import { limitRequests } from "@connlimit/connlimit/http";
import { SiblingStore, StoreLimiter } from "@connlimit/connlimit/shared";

// One of the threads keeps what is open at all of them. They agree which.
const limiter = new StoreLimiter({ maxPerClient: 5 }, new SiblingStore());

const server: Deno.ServeDefaultExport = {
  fetch: limitRequests(limiter, () => new Response(clock())),
};
export default server;

/** Tells the time, every second until the client leaves. */
function clock(): ReadableStream<Uint8Array> {
  let timer: ReturnType<typeof setInterval>;
  return new ReadableStream<string>({
    start(controller) {
      const tell = () => controller.enqueue(`${new Date().toLocaleTimeString()}\n`);
      tell();
      timer = setInterval(tell, 1000);
    },
    cancel: () => clearInterval(timer),
  }).pipeThrough(new TextEncoderStream());
}
