/**
 * A server on Deno with a stream and a WebSocket. Each client may have five requests and WebSockets open.
 *
 *   deno run --allow-net examples/deno_serve.ts
 *
 * Try it with `curl -N localhost:8000/clock`, six times at once, and `new WebSocket("ws://localhost:8000/echo")`.
 *
 * @module
 */

import { limitRequests, upgradeWebSocket } from "@connlimit/connlimit/http";

Deno.serve(limitRequests({ maxPerClient: 5 }, (request) => {
  const { pathname } = new URL(request.url);
  if (pathname === "/clock") return new Response(clock());
  if (pathname === "/echo" && request.headers.get("upgrade") === "websocket") {
    const { socket, response } = upgradeWebSocket(request); // holds the slot until the WebSocket closes
    socket.onmessage = ({ data }) => {
      if (socket.bufferedAmount < 1_000_000) socket.send(data); // a client that does not read gets no more
    };
    return response;
  }
  return new Response("hello\n");
}));

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
