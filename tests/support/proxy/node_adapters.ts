/**
 * Servers of Node behind a proxy, on every runtime.
 *
 * @module
 */

import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import * as https from "node:https";
import * as net from "node:net";
import * as tls from "node:tls";
import { limitServer } from "@connlimit/connlimit/node";
import { proxyOf } from "@connlimit/connlimit/proxy";
import { certificate, within } from "../net.ts";
import { isBun, isDeno } from "../platform.ts";
import type { Adapter, Seen, Server, Setup } from "./proxied.ts";

type Make = (seen: Seen[]) => net.Server | http2.Http2SecureServer;

function see(conn: object, { remoteAddress, remotePort }: net.Socket): Seen {
  return { address: remoteAddress, port: remotePort, proxy: proxyOf(conn) };
}

const echo = (seen: Seen[]) => (socket: net.Socket) => {
  seen.push(see(socket, socket));
  socket.on("error", () => {});
  socket.pipe(socket);
};

const answer = (seen: Seen[]) => (request: http.IncomingMessage, response: http.ServerResponse) => {
  seen.push(see(request, request.socket));
  const length = request.headers["content-length"] ?? 0;
  response.writeHead(200, { "content-length": length });
  request.pipe(response);
};

const makeNet: Make = (seen) => net.createServer(echo(seen));
const makeTls: Make = (seen) => tls.createServer(certificate(), echo(seen));
const makeHttp: Make = (seen) => http.createServer(answer(seen));
const makeHttps: Make = (seen) => https.createServer(certificate(), answer(seen));
const makeHttp2: Make = (seen) =>
  http2.createSecureServer({ ...certificate(), allowHTTP1: true }, answer(seen) as never);

/** A server of `node:net` in front, which passes its sockets on. */
function behind(make: Make): Make {
  return (seen) => {
    const server = make(seen);
    return net.createServer((socket) => void server.emit("connection", socket));
  };
}

/** HTTP over the TLS of another server. */
const makeHttpOverTls: Make = (seen) => {
  const server = makeHttp(seen);
  return tls.createServer(certificate(), (socket) => void server.emit("connection", socket));
};

async function serve(make: Make, { limiter, hooks, client, path }: Setup): Promise<Server> {
  const seen: Seen[] = [];
  const server = make(seen);
  const sockets = new Set<net.Socket>();
  server.on("connection", (socket: net.Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  limitServer(server, limiter, { ...hooks, client });
  server.listen(path === undefined ? { port: 0, host: "127.0.0.1" } : { path });
  await once(server, "listening");
  return {
    port: (server.address() as net.AddressInfo).port,
    seen,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await within(once(server, "close"), "the server to close");
    },
  };
}

function adapter(name: string, make: Make, how: Pick<Adapter, "http" | "tls"> = {}): Adapter {
  return { name, ...how, serve: (setup) => serve(make, setup) };
}

const TLS = { tls: true };
const HTTP = { http: true };
const HTTPS = { http: true, tls: true };

/** Those that read the header themselves. On Bun, only servers of `node:net` can. */
const inPlace: readonly Adapter[] = [
  adapter("tls", makeTls, TLS),
  adapter("http", makeHttp, HTTP),
  adapter("https", makeHttps, HTTPS),
  adapter("http2", makeHttp2, HTTPS),
];

/** Deno closes a connection that was passed on so after its first response, and needs none of it. */
const passedOn: readonly Adapter[] = [
  adapter("net before http", behind(makeHttp), HTTP),
  adapter("net before http2", behind(makeHttp2), HTTPS),
  adapter("net before tls before http", behind(makeHttpOverTls), HTTPS),
];

/** All of them. */
export const NODE_ADAPTERS: readonly Adapter[] = [
  adapter("net", makeNet),
  ...isBun ? [] : inPlace,
  adapter("net before tls", behind(makeTls), TLS),
  ...isDeno ? [] : passedOn,
];
