/**
 * An upgraded connection keeps its slot until it closes, whichever side ends it, and however.
 *
 * @module
 */

import { once } from "node:events";
import type * as http from "node:http";
import type * as net from "node:net";
import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { WebSocket, WebSocketServer } from "ws";
import { aWhile, type Client, connectFrom, ended, eventually, reply, within } from "../support/net.ts";
import { Limited } from "../support/node/limited_server.ts";
import { connectTo, ignore, KINDS } from "../support/node/server_kinds.ts";
import { CLOSE, HEADERS, PING, PONG } from "../../testing/frames.ts";

/** Asks for a WebSocket. Resolves to the head of the answer. */
async function upgrade({ socket }: Client): Promise<string> {
  const head = once(socket, "data");
  socket.write(["GET / HTTP/1.1", "Host: localhost", ...HEADERS, "", ""].join("\r\n"));
  return (await within(head, "the answer"))[0].toString();
}

/** The ways in which a WebSocket ends. */
const ENDINGS: Readonly<Record<string, (client: Client, socket: WebSocket, raw: net.Socket) => void>> = {
  "the client ends it": (client) => client.fin(),
  "the client resets it": (client) => client.reset(),
  "the client sends a close": ({ socket }) => void socket.write(CLOSE),
  "the server closes it and the client leaves": (client, socket) => {
    client.socket.once("data", () => client.fin());
    socket.close();
  },
  "the server terminates it": (_, socket) => socket.terminate(),
  "the server destroys its socket": (_, _socket, raw) => void raw.destroy(),
};

for (const name of ["http", "https"]) {
  const kind = KINDS[name]!;

  test(`limitServer() holds the slot of a WebSocket over ${name} until it closes, however it ends`, async () => {
    for (const [ending, end] of Object.entries(ENDINGS)) {
      const server = kind.create() as http.Server;
      await using limited = await Limited.listen(server, { limits: { maxPerClient: 1 } });
      let accepted: WebSocket | undefined;
      new WebSocketServer({ server }).on("connection", (socket) => accepted = socket.on("error", ignore));
      using client = await connectTo(kind, limited.port);
      assertStrictEquals((await upgrade(client)).split("\r\n")[0], "HTTP/1.1 101 Switching Protocols");
      await eventually(() => accepted !== undefined, "the WebSocket to open");
      await aWhile();
      assertEquals([limited.limiter.open, limited.limiter.stats().admitted], [1, 1]);
      using refused = await connectFrom("127.0.0.1", limited.port);
      if (!kind.secure) refused.socket.write("GET / HTTP/1.1\r\n\r\n");
      if (!kind.secure) assertStrictEquals(await ended(refused), "");
      end(client, accepted!, limited.sockets.at(-1)!);
      await eventually(() => limited.limiter.open === 0, `the slot to be free after ${ending}`);
    }
  });
}

test("limitServer() holds the slot of a WebSocket that is silent, and of one that talks", async () => {
  const server = KINDS.http!.create() as http.Server;
  await using limited = await Limited.listen(server);
  new WebSocketServer({ server });
  using silent = await connectFrom("127.0.0.1", limited.port);
  using talking = await connectFrom("127.0.0.1", limited.port);
  await Promise.all([silent, talking].map((client) => upgrade(client)));
  for (let i = 0; i < 10; i++) {
    const pong = once(talking.socket, "data");
    talking.socket.write(PING);
    assertStrictEquals((await within(pong, "a pong"))[0].toString("latin1"), PONG);
  }
  assertStrictEquals(limited.limiter.open, 2);
});

test("limitServer() frees the slot where a client of ws opens a WebSocket and closes it", async () => {
  const server = KINDS.http!.create() as http.Server;
  await using limited = await Limited.listen(server, { limits: { maxPerClient: 1 } });
  new WebSocketServer({ server }).on("connection", (socket) => socket.on("message", (data) => socket.send(data)));
  for (let i = 0; i < 3; i++) {
    const client = new WebSocket(`ws://127.0.0.1:${limited.port}`);
    await within(once(client, "open"), "the WebSocket to open");
    const refused = new WebSocket(`ws://127.0.0.1:${limited.port}`);
    await within(new Promise((resolve) => refused.on("error", resolve)), "the second to be refused");
    client.send("words");
    assertStrictEquals(String((await within(once(client, "message"), "an echo"))[0]), "words");
    client.close();
    await within(once(client, "close"), "the WebSocket to close");
    await limited.freed();
  }
  assertEquals(limited.limiter.stats().refusedBy.client, 3);
});

test("limitServer() keeps the slots of WebSockets whose server is closed with all its connections", async () => {
  const server = KINDS.http!.create() as http.Server;
  await using limited = await Limited.listen(server);
  const sockets = new WebSocketServer({ server });
  using client = await connectFrom("127.0.0.1", limited.port);
  await upgrade(client);
  server.close();
  server.closeAllConnections();
  await aWhile();
  // It is no HTTP connection any more.
  assertStrictEquals(limited.limiter.open, 1);
  for (const socket of sockets.clients) socket.terminate();
  await limited.freed();
});

for (const [event, request] of [["upgrade", "GET /"], ["connect", "CONNECT localhost:1"]] as const) {
  test(`limitServer() holds the slot of a socket of "${event}" until somebody ends it`, async () => {
    const server = KINDS.http!.create() as http.Server;
    await using limited = await Limited.listen(server);
    let raw: net.Socket | undefined;
    server.on(event, (_request: unknown, socket: net.Socket) => {
      raw = socket.on("error", ignore);
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      socket.resume();
    });
    const taken = async () => {
      const client = await connectFrom("127.0.0.1", limited.port);
      const answer = await reply(
        client,
        `${request} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n`,
      );
      assertStrictEquals(answer, "HTTP/1.1 200 OK\r\n\r\n");
      return client;
    };
    const ends = {
      "by the server's end": () => raw!.end(),
      "by the server's destroy": () => raw!.destroy(),
    };
    for (const [how, end] of Object.entries(ends)) {
      using client = await taken();
      client.fin();
      await aWhile();
      // Upgraded sockets may stay half-open: it takes both sides to close one.
      assertStrictEquals(limited.limiter.open, 1);
      end();
      await eventually(() => limited.limiter.open === 0, `the slot to be free ${how}`);
    }
    using client = await taken();
    client.reset();
    await limited.freed();
  });
}
