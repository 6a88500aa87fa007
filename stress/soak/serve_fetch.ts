/**
 * `Deno.serve` or `Bun.serve`, with WebSockets.
 *
 * @module
 */

import type { Limiter } from "../../mod.ts";
import { limitRequests, upgradeWebSocket } from "../../src/http/mod.ts";
import { BIG, DRIP, DRIPS, LATE } from "./paths.ts";

/** The part of `Bun.serve()` that is used. */
interface BunServer {
  readonly port: number;
  upgrade(request: Request): boolean;
}

const { Bun } = globalThis as { Bun?: { serve(options: object): BunServer } };

type Handler = (request: Request, info: unknown) => Response | Promise<Response>;

const LINE = new TextEncoder().encode("drip\n");

/** A few lines, until the client leaves. */
function drips(): ReadableStream<Uint8Array> {
  let timer: ReturnType<typeof setInterval>;
  let left = DRIPS;
  return new ReadableStream<Uint8Array>({
    start(body) {
      timer = setInterval(() => {
        if (left-- > 0) return body.enqueue(LINE);
        clearInterval(timer);
        body.close();
      }, DRIP);
    },
    cancel: () => clearInterval(timer),
  });
}

/** WebSockets that have not opened. */
const opening = new Set<WebSocket>();

/**
 * How many WebSockets are neither open nor closed. Where a client resets before its upgrade is answered, Deno 2.9 never
 * opens the socket and never closes the descriptor, with limits or without, and nothing that can be called changes it.
 */
export function countUnopened(): number {
  return opening.size;
}

function upgrade(request: Request, info: unknown): Response {
  if (Bun !== undefined) {
    // Bun answers an upgraded request by itself.
    if ((info as BunServer).upgrade(request)) return undefined as unknown as Response;
    return new Response("no WebSocket\n", { status: 400 });
  }
  const { socket, response } = upgradeWebSocket(request);
  const opened = () => opening.delete(socket);
  opening.add(socket);
  socket.onopen = opened;
  socket.onclose = opened;
  socket.onerror = () => {};
  socket.onmessage = ({ data }) => socket.send(data);
  return response;
}

const answer: Handler = (request, info) => {
  const { pathname } = new URL(request.url);
  switch (pathname) {
    case "/echo":
      return new Response(request.body);
    case "/big":
      return new Response(BIG);
    case "/drip":
      return new Response(drips());
    case "/late":
      return new Promise((resolve) => setTimeout(() => resolve(new Response("late\n")), LATE));
    case "/fail":
      throw new Error("from the handler");
    case "/ws":
      return upgrade(request, info);
    default:
      return new Response("text\n");
  }
};

/** Listens. Returns the port. */
export function serveFetch(limiter: Limiter | undefined, hostname: string): number {
  const fetch = limiter === undefined ? answer : limitRequests(limiter, answer) as Handler;
  const error = () => new Response("an error\n", { status: 500 });
  if (Bun !== undefined) {
    const websocket = { message: (socket: WebSocket, text: string) => socket.send(text) };
    return Bun.serve({ hostname, port: 0, development: false, idleTimeout: 60, fetch, error, websocket }).port;
  }
  return Deno.serve({ hostname, port: 0, onListen() {}, onError: error }, fetch as Deno.ServeHandler).addr.port;
}
