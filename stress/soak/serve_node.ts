/**
 * Servers of `node:net`, which echoes, and of `node:http` with WebSockets by `ws`.
 *
 * @module
 */

import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { WebSocketServer } from "ws";
import type { Limiter } from "../../mod.ts";
import { limitServer, tooManyConnections } from "../../src/node/mod.ts";
import { BIG, DRIP, DRIPS, LATE } from "./paths.ts";
import { behaviourOf } from "./echo_behaviour.ts";

function echo(socket: Socket): void {
  socket.on("error", () => {});
  switch (behaviourOf(socket.remotePort ?? 1)) {
    case "echo":
      return void socket.pipe(socket);
    case "close":
      return void socket.destroy();
    case "close later":
      return void socket.once("data", () => socket.destroy());
    case "cancel":
      // Reads on: behind what is unread, nobody sees the client's end.
      return void socket.resume().end();
    case "abort":
      return void socket.resetAndDestroy();
    case "end":
      return void socket.once("data", (data) => socket.end(data)).resume();
  }
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  response.on("error", () => {});
  request.on("error", () => {});
  switch (request.url) {
    case "/echo":
      return void request.pipe(response);
    case "/big":
      return void response.end(BIG);
    case "/drip": {
      let left = DRIPS;
      const timer = setInterval(() => left-- > 0 ? response.write("drip\n") : response.end(), DRIP);
      return void response.on("close", () => clearInterval(timer));
    }
    case "/late":
      return void setTimeout(() => response.end("late\n"), LATE);
    case "/fail":
      return void response.destroy();
    default:
      return void response.end("text\n");
  }
}

async function listen(server: Server, hostname: string): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, hostname, resolve));
  return (server.address() as AddressInfo).port;
}

/** Listens by `node:net`. Resolves to the port. */
export function serveNet(limiter: Limiter | undefined, hostname: string): Promise<number> {
  const server = createServer(echo);
  if (limiter !== undefined) limitServer(server, limiter);
  return listen(server, hostname);
}

/** Listens by `node:http`. Resolves to the port. */
export function serveHttp(limiter: Limiter | undefined, hostname: string): Promise<number> {
  const server = createHttpServer(answer);
  if (limiter !== undefined) limitServer(server, limiter, { answer: tooManyConnections() });
  server.on("clientError", (_error, socket) => socket.destroy());
  new WebSocketServer({ server, path: "/ws" }).on("connection", (socket) => {
    socket.on("error", () => socket.terminate());
    socket.on("message", (data, binary) => socket.send(data, { binary }));
  });
  return listen(server, hostname);
}
