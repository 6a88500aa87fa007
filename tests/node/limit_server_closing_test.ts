/**
 * Sockets and servers that close, by whichever side and at whatever time. A slot is held exactly as long as its socket
 * is open.
 *
 * @module
 */

import { once } from "node:events";
import type * as http from "node:http";
import * as net from "node:net";
import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { aWhile, connectFrom, ended, eventually, leavingNoSocket, openSockets, within } from "../support/net.ts";
import { Limited } from "../support/node/limited_server.ts";
import { connectTo, ignore, KINDS } from "../support/node/server_kinds.ts";

test("limitServer() frees the slot of a socket that is destroyed while its peer does not read", async () => {
  for (const name of ["net", "tls"]) {
    const kind = KINDS[name]!;
    const before = openSockets();
    {
      await using limited = await Limited.listen(kind.create());
      using client = await connectTo(kind, limited.port);
      client.socket.pause();
      await limited.answered(1, 0);
      const socket = limited.sockets.at(-1)!.on("error", ignore);
      while (socket.writableLength < 10_000_000) socket.write(new Uint8Array(1_000_000));
      await aWhile();
      assertStrictEquals(limited.limiter.open, 1);
      socket.destroy();
      await limited.freed();
    }
    await eventually(() => openSockets() === before, "every socket to be closed");
  }
});

test("limitServer() frees the slots of connections that a server's timeouts end", async () => {
  const kind = KINDS.http!;
  const server = kind.create() as http.Server;
  server.keepAliveTimeout = 50;
  await using limited = await Limited.listen(server);
  using answered = await connectFrom("127.0.0.1", limited.port);
  await kind.ask(answered, "answer");
  await limited.freed();
  server.setTimeout(50);
  using asking = await connectFrom("127.0.0.1", limited.port);
  await kind.ask(asking, "hang");
  await limited.answered(2, 0);
  await limited.freed();
});

test("limitServer() holds the slot of a paused socket, whose peer has gone, until it is closed", async () => {
  await using limited = await Limited.listen(net.createServer({ pauseOnConnect: true }));
  using client = await connectFrom("127.0.0.1", limited.port);
  await limited.answered(1, 0);
  client.socket.end("words");
  await aWhile();
  assertStrictEquals(limited.limiter.open, 1);
  limited.sockets[0]!.resume();
  await limited.freed();
});

test("limitServer() holds the slot of a half-open socket until the server has ended it, too", async () => {
  await using limited = await Limited.listen(net.createServer({ allowHalfOpen: true }));
  using client = await connectFrom("127.0.0.1", limited.port);
  await limited.answered(1, 0);
  const socket = limited.sockets[0]!;
  socket.resume();
  client.fin();
  await within(once(socket, "end"), "the client to end");
  await aWhile();
  assertStrictEquals(limited.limiter.open, 1);
  socket.end("bye");
  assertStrictEquals(await ended(client), "bye");
  await limited.freed();
});

test("limitServer() does not count what a server drops at its own maximum", async () => {
  await using limited = await Limited.listen(KINDS.net!.create() as net.Server);
  limited.server.maxConnections = 1;
  using one = await connectFrom("127.0.0.1", limited.port);
  await KINDS.net!.ask(one, "answer");
  using two = await connectFrom("127.0.0.1", limited.port);
  await ended(two);
  assertEquals([limited.limiter.open, limited.limiter.stats().refused], [1, 0]);
});

for (const name of ["http", "https"]) {
  const kind = KINDS[name]!;
  test(`limitServer() frees the slots of connections that an ${name} server closes by itself`, async () => {
    await using limited = await Limited.listen(kind.create() as http.Server);
    const { server, limiter } = limited;
    using idle = await connectTo(kind, limited.port);
    await kind.ask(idle, "answer");
    using asking = await connectTo(kind, limited.port);
    await kind.ask(asking, "hang");
    await limited.answered(2, 0);
    await aWhile();
    server.closeIdleConnections();
    await eventually(() => limiter.open === 1, "the idle one to be closed");
    server.closeAllConnections();
    await limited.freed();
    await Promise.all([ended(idle), ended(asking)]);
  });
}

for (const [name, kind] of Object.entries(KINDS)) {
  test(
    `limitServer() keeps the slots of connections that stay open when their ${name} server is closed`,
    leavingNoSocket(async () => {
      await using limited = await Limited.listen(kind.create());
      using staying = await connectTo(kind, limited.port);
      await kind.ask(staying, "hang");
      await limited.answered(1, 0);
      await aWhile();
      limited.server.close();
      await aWhile();
      assertStrictEquals(limited.limiter.open, 1);
      staying.reset();
      await limited.freed();
    }),
  );
}

test("limitServer() limits a server that is closed already, for when it listens again", async () => {
  const server = KINDS.net!.create() as net.Server;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  server.close();
  await once(server, "close");
  await using limited = await Limited.listen(server, { limits: new Limiter({ maxPerClient: 0 }) });
  using client = await connectFrom("127.0.0.1", limited.port);
  await ended(client);
  assert(limited.limiter.stats().refused === 1);
});
