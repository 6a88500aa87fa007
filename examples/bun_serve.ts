/**
 * A server on Bun with a stream and a WebSocket. Each client may have five requests and WebSockets open.
 *
 *   bun examples/bun_serve.ts
 *
 * Try it with `curl -N localhost:8000/clock`, six times at once, and `new WebSocket("ws://localhost:8000/echo")`.
 *
 * @module
 */

import { limitRequests } from "@connlimit/connlimit/http";

Bun.serve({
  port: 8000,
  fetch: limitRequests({ maxPerClient: 5 }, (request: Request, server: Bun.Server<undefined>) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/clock") return new Response(clock());
    if (pathname === "/echo" && server.upgrade(request)) return; // holds the slot until the WebSocket closes
    return new Response("hello\n");
  }),
  websocket: {
    message: (socket, data) => void socket.send(data),
    // Once a megabyte waits for a client to read. Otherwise messages would be missing.
    backpressureLimit: 1 << 20,
    closeOnBackpressureLimit: true,
  },
});

/** Tells the time, every second until the client leaves. */
function clock(): ReadableStream<Uint8Array> {
  let timer: ReturnType<typeof setInterval>;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const tell = () => controller.enqueue(new TextEncoder().encode(`${new Date().toLocaleTimeString()}\n`));
      tell();
      timer = setInterval(tell, 1000);
    },
    cancel: () => clearInterval(timer),
  });
}
