/**
 * Responses of handlers: those that go on, and those that upgrade to a WebSocket.
 *
 * @module
 */

import { upgradeWebSocket } from "@connlimit/connlimit/http";
import { isBun } from "../platform.ts";
import type { BunServer, ServerSocket } from "./serve.ts";

/** What the body of a response that goes on is written to. */
export type Body = ReadableStreamDefaultController<Uint8Array>;

/** A response that has begun, with the word `first`, and goes on until somebody ends it. */
export function unending(begun: (body: Body) => void = () => {}): Response {
  return new Response(
    new ReadableStream({
      start(body) {
        body.enqueue(new TextEncoder().encode("first"));
        begun(body);
      },
    }),
  );
}

/** Makes a WebSocket of a request, which echoes. */
export function upgrade(request: Request, info: unknown, opened: (socket: ServerSocket) => void = () => {}): Response {
  if (isBun) {
    if ((info as BunServer).upgrade(request, { data: opened })) return undefined as unknown as Response;
    return new Response("no WebSocket\n", { status: 400 });
  }
  const { socket, response } = upgradeWebSocket(request);
  socket.onopen = () => opened(socket);
  socket.onmessage = ({ data }) => socket.send(data);
  socket.onerror = () => {};
  return response;
}
