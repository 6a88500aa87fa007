/**
 * Servers of Node behind a proxy, in what is theirs alone.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import * as https from "node:https";
import * as net from "node:net";
import { test } from "node:test";
import * as tls from "node:tls";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import express from "express";
import { Limiter } from "@connlimit/connlimit";
import { limitServer } from "@connlimit/connlimit/node";
import { proxyOf, proxyProtocol } from "@connlimit/connlimit/proxy";
import { parseAnswer } from "../../testing/http_client.ts";
import { certificate, connected, connectFrom, ended, eventually, within } from "../support/net.ts";
import { isBun } from "../support/platform.ts";
import { BLOCK4, v2 } from "../support/proxy/headers.ts";
import { headerOf } from "../support/proxy/proxied_trial.ts";

/** What Express adds to a request, which has no types of its own. */
type ExpressRequest = http.IncomingMessage & { readonly ip: string };

const client = proxyProtocol({ trusted: ["127.0.0.1", "unix"] });

const OTHERS: Readonly<Record<string, () => net.Server | http2.Http2SecureServer>> = {
  tls: () => tls.createServer(certificate()),
  http: () => http.createServer(),
  https: () => https.createServer(certificate()),
  http2: () => http2.createSecureServer(certificate()),
};

for (const [kind, create] of Object.entries(OTHERS)) {
  test(`limitServer() ${isBun ? "rejects" : "takes"} a client option for a server of ${kind}`, () => {
    const limit = () => limitServer(create(), {}, { client });
    if (isBun) assertThrows(limit, TypeError, 'createServer((socket) => server.emit("connection", socket))');
    else limit();
    // Without the option, all are taken.
    limitServer(create(), {}, {});
  });
}

test("limitServer() rejects a client option that is none", () => {
  for (const wrong of [null, {}, () => "192.0.2.7"]) {
    assertThrows(
      () => limitServer(net.createServer(), {}, { client: wrong as never }),
      TypeError,
      "client must be made by proxyProtocol(), got ",
    );
  }
});

/** Has a server listen, and ends it with its sockets. */
async function listening(server: net.Server, where: object, use: () => Promise<void>): Promise<void> {
  const sockets = new Set<net.Socket>();
  server.on("connection", (socket: net.Socket) => sockets.add(socket));
  server.listen(where);
  await once(server, "listening");
  try {
    await use();
  } finally {
    server.close();
    for (const socket of sockets) socket.destroy();
    await within(once(server, "close"), "the server to close");
  }
}

test("limitServer() reads a header ahead of HTTP/2 without TLS", async () => {
  const limiter = new Limiter();
  const server = http2.createServer();
  const seen: unknown[] = [];
  server.on("stream", (stream: http2.ServerHttp2Stream) => {
    seen.push(stream.session!.socket.remoteAddress, proxyOf(stream.session!)?.source?.address);
    stream.respond();
    stream.end("an answer");
  });
  limitServer(server, limiter, { client });
  await listening(server as unknown as net.Server, { port: 0, host: "127.0.0.1" }, async () => {
    const { port } = server.address() as net.AddressInfo;
    const { socket } = await connectFrom("127.0.0.1", port);
    socket.write(headerOf("192.0.2.7"));
    const session = http2.connect(`http://127.0.0.1:${port}`, { createConnection: () => socket });
    session.on("error", () => {});
    const [data] = await within(once(session.request({ ":path": "/" }), "data"), "an answer");
    assertEquals([String(data), seen, limiter.openFor("192.0.2.7")], ["an answer", ["192.0.2.7", "192.0.2.7"], 1]);
    session.destroy();
  });
});

test("limitServer() reads the header of a connection that a server in front has counted for its proxy", async () => {
  for (const trusted of ["127.0.0.1", "10.0.0.0/8"]) {
    const limiter = new Limiter({ maxPerClient: 2 });
    const seen: unknown[] = [];
    const back = net.createServer((socket) => {
      seen.push(socket.remoteAddress, limiter.openFor("192.0.2.7"));
      socket.on("error", () => {}).pipe(socket);
    });
    const front = net.createServer((socket) => void back.emit("connection", socket));
    limitServer(front, limiter);
    limitServer(back, limiter, { client: proxyProtocol({ trusted: [trusted] }) });
    await listening(front, { port: 0, host: "127.0.0.1" }, async () => {
      using proxy = await connectFrom("127.0.0.1", (front.address() as net.AddressInfo).port);
      proxy.socket.end(Buffer.concat([headerOf("192.0.2.7"), Buffer.from("words")]));
      const expected = trusted === "127.0.0.1" ? ["words", ["192.0.2.7", 1]] : ["", []];
      assertEquals([await ended(proxy), seen], expected);
      await eventually(() => limiter.open === 0, "the slots to be free");
    });
  }
});

test("limitServer() shows Express the client", async () => {
  const app = express();
  app.get("/", (request: ExpressRequest, response: http.ServerResponse) => {
    response.end(`${request.ip} by ${proxyOf(request)!.address}`);
  });
  const web = http.createServer(app);
  const server = isBun ? net.createServer((socket) => void web.emit("connection", socket)) : web;
  limitServer(server, {}, { client });
  await listening(server, { port: 0, host: "127.0.0.1" }, async () => {
    using proxy = await connectFrom("127.0.0.1", (server.address() as net.AddressInfo).port);
    const request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    proxy.socket.write(Buffer.concat([headerOf("2001:db8::7"), Buffer.from(request)]));
    assertStrictEquals(parseAnswer(await ended(proxy)).body, "2001:db8::7 by 127.0.0.1");
  });
});

test("limitServer() with several limiters reads one header, for all that come behind the one that reads", async () => {
  const limiters = [new Limiter(), new Limiter(), new Limiter()];
  const server = net.createServer((socket) => void socket.on("error", () => {}).pipe(socket));
  limitServer(server, limiters[0], { client });
  limitServer(server, limiters[1], { client: proxyProtocol({ trusted: ["127.0.0.1"] }) });
  limitServer(server, limiters[2]);
  await listening(server, { port: 0, host: "127.0.0.1" }, async () => {
    using proxy = await connectFrom("127.0.0.1", (server.address() as net.AddressInfo).port);
    proxy.socket.write(Buffer.concat([v2(0x21, 0x11, BLOCK4), Buffer.from("hello")]));
    assertEquals(String((await within(once(proxy.socket, "data"), "an echo"))[0]), "hello");
    assertEquals(limiters.map((limiter) => limiter.openFor("192.0.2.7")), [1, 1, 1]);
    proxy.socket.destroy();
    await eventually(() => limiters.every(({ open }) => open === 0), "every slot to be free");
  });
});

test("limitServer() hands over a half-open connection whose client ends its side behind the header", async () => {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("data", () => {});
    socket.on("end", () => socket.end("bye"));
  });
  limitServer(server, {}, { client });
  await listening(server, { port: 0, host: "127.0.0.1" }, async () => {
    const socket = net.connect({
      port: (server.address() as net.AddressInfo).port,
      host: "127.0.0.1",
      allowHalfOpen: true,
    });
    using proxy = await connected(socket);
    socket.end(headerOf("192.0.2.7"));
    assertStrictEquals(await ended(proxy), "bye");
  });
});
