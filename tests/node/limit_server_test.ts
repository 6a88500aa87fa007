/**
 * Limits apply to a server from the next connection on.
 *
 * @module
 */

import { EventEmitter, once } from "node:events";
import * as http from "node:http";
import * as net from "node:net";
import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { limitServer, type ServerLike } from "@connlimit/connlimit/node";
import { type Client, connectFrom, ended, eventually } from "../support/net.ts";
import { oneAddress } from "../support/platform.ts";
import { KINDS } from "../support/node/server_kinds.ts";
import { isServed, listenNet } from "../support/node/listen_net.ts";

test("limitServer() admits as many connections of a client as the limits say, and counts each client by itself", {
  skip: oneAddress,
}, async () => {
  await using limited = await listenNet({ limits: { maxPerClient: 2 } });
  using one = await connectFrom("127.0.0.1", limited.port);
  using two = await connectFrom("127.0.0.1", limited.port);
  using three = await connectFrom("127.0.0.1", limited.port);
  using other = await connectFrom("127.0.0.2", limited.port);
  assertEquals(await Promise.all([one, two, three, other].map(isServed)), [true, true, false, true]);
  const { limiter } = limited;
  assertEquals([limiter.openFor("127.0.0.1"), limiter.openFor("127.0.0.2"), limiter.open], [2, 1, 3]);
  two.fin();
  await eventually(() => limiter.open === 2, "a slot to be free");
  using four = await connectFrom("127.0.0.1", limited.port);
  assert(await isServed(four));
});

test("limitServer() applies changed limits from the next connection on", async () => {
  await using limited = await listenNet({ limits: { maxPerClient: 0 } });
  using one = await connectFrom("127.0.0.1", limited.port);
  assertStrictEquals(await isServed(one), false);
  limited.limiter.setLimits({ maxPerClient: 1 });
  using two = await connectFrom("127.0.0.1", limited.port);
  assert(await isServed(two));
  limited.limiter.setLimits({ maxPerClient: 0 });
  assert(await isServed(two));
  using three = await connectFrom("127.0.0.1", limited.port);
  assertStrictEquals(await isServed(three), false);
});

test("limitServer() counts the connections of several servers together where they share a limiter", async () => {
  const limits = new Limiter({ maxPerClient: 1 });
  await using here = await listenNet({ limits });
  await using there = await listenNet({ limits });
  assertStrictEquals(here.limiter, limits);
  using one = await connectFrom("127.0.0.1", here.port);
  assert(await isServed(one));
  using two = await connectFrom("127.0.0.1", there.port);
  assertStrictEquals(await isServed(two), false);
});

test("limitServer() with several limiters admits what all of them admit", { skip: oneAddress }, async () => {
  await using limited = await listenNet({ limits: { maxPerClient: 2 } });
  const total = limitServer(limited.server, { maxTotal: 3 }).limiter;
  const clients: Client[] = [];
  for (const address of ["127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.2", "127.0.0.2"]) {
    const client = await connectFrom(address, limited.port);
    clients.push(client);
    await isServed(client);
  }
  // The third is refused by the first of them, before the second is asked; the fifth by the second.
  await eventually(() => limited.limiter.open === 3, "what the second has refused to be free at the first");
  assertEquals([total.stats().admitted, total.stats().refusedBy.total, total.open], [3, 1, 3]);
  assertEquals([limited.limiter.stats().admitted, limited.limiter.stats().refusedBy.client], [4, 1]);
  for (const client of clients) client[Symbol.dispose]();
  await limited.freed();
  assertStrictEquals(total.open, 0);
});

test("limitServer() does not count what was open before", async () => {
  const server = KINDS.net!.create() as net.Server;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  using early = await connectFrom("127.0.0.1", (server.address() as net.AddressInfo).port);
  await KINDS.net!.ask(early, "answer");
  const { limiter } = limitServer(server, { maxPerClient: 1 });
  using late = await connectFrom("127.0.0.1", (server.address() as net.AddressInfo).port);
  await KINDS.net!.ask(late, "answer");
  assertStrictEquals(limiter.open, 1);
  const closed = once(server, "close");
  server.close();
  early.fin();
  late.fin();
  await closed;
  await eventually(() => limiter.open === 0, "the slot to be free");
});

test("limitServer() stays with a server that is closed and listens again", async () => {
  const server = KINDS.net!.create() as net.Server;
  const { limiter } = limitServer(server, { maxPerClient: 0 });
  for (const refused of [1, 2]) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    using client = await connectFrom("127.0.0.1", (server.address() as net.AddressInfo).port);
    assertStrictEquals(await ended(client), "");
    const closed = once(server, "close");
    server.close();
    await closed;
    assertStrictEquals(limiter.stats().refused, refused);
  }
});

test("limitServer() takes nothing but servers", () => {
  const webSocketServer = Object.assign(new EventEmitter(), { address() {}, close() {} });
  const app = Object.assign(() => {}, { emit() {}, on() {}, listen() {} });
  const others = [undefined, null, 8000, "server", {}, new http.Agent(), new EventEmitter(), webSocketServer, app];
  for (const other of others) {
    assertThrows(() => limitServer(other as unknown as ServerLike), TypeError, "server must be a server");
  }
});

test("limitServer() takes no wrapper of a server, and says which property is the server inside", async () => {
  /** As of `ssh2` and `socksv5`, which keep it under `_srv`, and of `ldapjs` and `restify`. */
  class Wrapper extends EventEmitter {
    constructor(name: string, inside: net.Server) {
      super();
      Object.assign(this, { other: {}, [name]: inside });
      inside.on?.("connection", (socket) => this.emit("connection", { socket }));
    }
    address() {}
    listen() {}
  }
  for (const name of ["server", "_srv"]) {
    await using limited = await listenNet({ limits: { maxPerClient: 1 } });
    const wrapper = new Wrapper(name, limited.server) as unknown as ServerLike;
    const error = assertThrows(() => limitServer(wrapper), TypeError, "server must be a server of node:net");
    assert(error.message.endsWith(`, got an instance of Wrapper; pass its property "${name}", which is one`));
    using one = await connectFrom("127.0.0.1", limited.port);
    assert(await isServed(one));
  }
  const none = new Wrapper("proxy", {} as net.Server & EventEmitter);
  const error = assertThrows(() => limitServer(none as unknown as ServerLike), TypeError);
  assert(error.message.endsWith("got an instance of Wrapper"));
});

test("limitServer() changes nothing of a server for bad limits or options", () => {
  const server = net.createServer();
  const { emit } = server;
  assertThrows(() => limitServer(server, { maxPerClient: -1 }), RangeError, "maxPerClient");
  assertThrows(() => limitServer(server, {}, { onRefuse() {} } as never), TypeError, "onRefuse");
  assertThrows(() => limitServer(server, {}, { onRefused: true } as never), TypeError, "onRefused");
  assertThrows(() => limitServer(server, {}, { onError: 1 } as never), TypeError, "onError");
  assertStrictEquals(server.emit, emit);
});
