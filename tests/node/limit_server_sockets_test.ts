/**
 * Sockets of every origin, and what listeners do with them. A slot is held exactly as long as its socket is open.
 *
 * @module
 */

import { once } from "node:events";
import type * as http from "node:http";
import * as net from "node:net";
import { Duplex } from "node:stream";
import { test } from "node:test";
import * as tls from "node:tls";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { limitServer } from "@connlimit/connlimit/node";
import { aWhile, certificate, type Client, connectFrom, connectToPath, ended, eventually } from "../support/net.ts";
import { CLIENT_ADDRESS, isBun, noIPv6, noUnixSockets } from "../support/platform.ts";
import { Limited } from "../support/node/limited_server.ts";
import { connectTo, ignore, KINDS, shakeHands } from "../support/node/server_kinds.ts";
import { Folder } from "../support/folder.ts";

test("limitServer() counts the peers of a Unix socket as one client", { skip: noUnixSockets }, async () => {
  using folder = new Folder();
  for (const name of ["net", "http", "http2 cleartext"]) {
    const path = folder.file(name);
    await using limited = await Limited.listen(KINDS[name]!.create(), { limits: { maxPerClient: 2 }, path });
    using one = await connectToPath(path);
    await KINDS[name]!.ask(one, "answer");
    using two = await connectToPath(path);
    await KINDS[name]!.ask(two, "answer");
    using three = await connectToPath(path);
    three.socket.write("GET / HTTP/1.1\r\n\r\n");
    assertStrictEquals(await ended(three), "");
    assertEquals([limited.limiter.openFor("unix"), limited.limiter.stats().refusedBy.client], [2, 1]);
  }
});

test("limitServer() counts a socket that somebody hands over, until it closes", async () => {
  await using web = await Limited.listen(KINDS.http!.create() as http.Server, { limits: { maxPerClient: 1 } });
  const front = net.createServer({ pauseOnConnect: true }, (socket) => {
    web.server.emit("connection", socket);
    socket.resume();
  });
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  const { port } = front.address() as net.AddressInfo;
  {
    using client = await connectFrom("127.0.0.1", port);
    await KINDS.http!.ask(client, "answer");
    assertStrictEquals(web.limiter.open, 1);
    using second = await connectFrom("127.0.0.1", port);
    assertStrictEquals(await ended(second), "");
    client.fin();
    await web.freed();
  }
  const closed = once(front, "close");
  front.close();
  await closed;
});

test("limitServer() holds no slot for a socket that is closed when it is handed over", async () => {
  const server = net.createServer();
  const { limiter } = limitServer(server, { maxPerClient: 1 });
  const socket = new net.Socket();
  Object.defineProperty(socket, "remoteAddress", { value: "127.0.0.1" });
  socket.destroy();
  await once(socket, "close");
  server.emit("connection", socket);
  assertEquals([limiter.open, limiter.stats().admitted], [0, 1]);
});

test("limitServer() refuses a stream that has no address, and counts one that is given an address", async () => {
  const server = KINDS.http!.create() as http.Server;
  const { limiter } = limitServer(server);
  const stranger = new Duplex({ read: ignore });
  server.emit("connection", stranger);
  assert(stranger.destroyed);
  assertStrictEquals(limiter.stats().refusedBy["unknown-address"], 1);
  let written = "";
  const known = new Duplex({
    read: ignore,
    write(chunk, _encoding, done) {
      written += chunk;
      done();
    },
  });
  server.emit("connection", Object.assign(known, { remoteAddress: "192.0.2.7" }));
  assertStrictEquals(limiter.openFor("192.0.2.7"), 1);
  known.push("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  // Bun's HTTP takes nothing but sockets.
  if (!isBun) await eventually(() => written.endsWith("an answer"), "an answer");
  known.destroy();
  await eventually(() => limiter.open === 0, "the slot to be free");
});

test(
  "limitServer() counts a client that comes by IPv4 to a server of IPv6 by its IPv4 address",
  { skip: noIPv6 },
  async () => {
    for (const name of ["net", "http", "http2"]) {
      const kind = KINDS[name]!;
      await using limited = await Limited.listen(kind.create(), { host: "::", limits: { maxPerClient: 1 } });
      using mapped = await connectTo(kind, limited.port, CLIENT_ADDRESS);
      await kind.ask(mapped, "answer");
      const { limiter } = limited;
      assertEquals([...limiter.clients()], [{ client: CLIENT_ADDRESS, open: 1 }]);
      const plain = await connectFrom("::1", limited.port, "::1");
      using client = kind.secure ? await shakeHands(plain, kind.secure) : plain;
      await kind.ask(client, "answer");
      assertEquals([limiter.openFor("::1"), limiter.openFor(`::ffff:${CLIENT_ADDRESS}`), limiter.open], [1, 1, 2]);
    }
  },
);

test("limitServer() frees the slot of a socket that turns to TLS by itself", async () => {
  const endings: ((client: Client, secured: tls.TLSSocket) => void)[] = [
    (client) => client.fin(),
    (client) => client.reset(),
    (_, secured) => void secured.end(),
    (_, secured) => void secured.destroy(),
  ];
  for (const end of endings) {
    let secured: tls.TLSSocket | undefined;
    await using limited = await Limited.listen(
      net.createServer((socket) => {
        secured = new tls.TLSSocket(socket, { isServer: true, secureContext: tls.createSecureContext(certificate()) });
        secured.on("error", ignore);
        secured.on("data", (data) => secured!.write(data));
      }),
    );
    using client = await shakeHands(await connectFrom("127.0.0.1", limited.port));
    await KINDS.tls!.ask(client, "answer");
    assertStrictEquals(limited.limiter.open, 1);
    end(client, secured!);
    await limited.freed();
  }
});

test("limitServer() frees the slot even where somebody removes the socket's listeners", async () => {
  for (const events of [[], ["close"], ["data"]]) {
    await using limited = await Limited.listen(
      net.createServer((socket) => {
        for (let i = 0; i < 5; i++) assertStrictEquals(socket.removeAllListeners(...events), socket);
        assertEquals(socket.listenerCount("close") <= 3, true);
        socket.on("error", ignore);
        socket.resume();
      }),
    );
    const other = limitServer(limited.server).limiter;
    using client = await connectFrom("127.0.0.1", limited.port);
    await limited.answered(1, 0);
    assertStrictEquals(other.open, 1);
    client.fin();
    await limited.freed();
    assertStrictEquals(other.open, 0);
  }
});

test("limitServer() holds the slot where a listener throws, until the socket closes", async () => {
  class Tolerant extends net.Server {
    // deno-lint-ignore no-explicit-any
    override emit(event: string, ...args: any[]): boolean {
      try {
        return super.emit(event, ...args);
      } catch {
        return true;
      }
    }
  }
  const server = new Tolerant((socket: net.Socket) => {
    socket.resume();
    throw new Error("not today");
  });
  await using limited = await Limited.listen(server);
  using client = await connectFrom("127.0.0.1", limited.port);
  await limited.answered(1, 0);
  await aWhile();
  assertStrictEquals(limited.limiter.open, 1);
  client.fin();
  await limited.freed();
});
