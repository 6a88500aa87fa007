/**
 * Attaching limiters to servers and detaching them, and how the limits apply.
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
import { heapUsed } from "../../testing/memory.ts";
import { type Client, connectFrom, ended, eventually, reply } from "../support/net.ts";
import { oneAddress } from "../support/platform.ts";
import { KINDS, Limited } from "./servers.ts";

const { ask } = KINDS.net!;
const serve = (setup = {}) => Limited.listen(KINDS.net!.create() as net.Server, setup);

/** Whether the server answers, rather than ending the connection. */
async function isServed(client: Client): Promise<boolean> {
  return await reply(client, "answer") !== "";
}

test("limitServer() admits as many connections of a client as the limits say, and counts each client by itself", {
  skip: oneAddress,
}, async () => {
  await using limited = await serve({ limits: { maxPerClient: 2 } });
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
  await using limited = await serve({ limits: { maxPerClient: 0 } });
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
  await using here = await serve({ limits });
  await using there = await serve({ limits });
  assertStrictEquals(here.limiter, limits);
  using one = await connectFrom("127.0.0.1", here.port);
  assert(await isServed(one));
  using two = await connectFrom("127.0.0.1", there.port);
  assertStrictEquals(await isServed(two), false);
});

test("limitServer() with several limiters admits what all of them admit", { skip: oneAddress }, async () => {
  await using limited = await serve({ limits: { maxPerClient: 2 } });
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

test("limitServer() can detach several limiters in any order, by whichever way", async () => {
  for (const order of [[0, 1, 2], [2, 1, 0], [1, 0, 2]]) {
    await using limited = await serve({ limits: { maxPerClient: Infinity } });
    const attachments = [1, 1, 1].map((maxPerClient) => limitServer(limited.server, { maxPerClient }));
    using first = await connectFrom("127.0.0.1", limited.port);
    assert(await isServed(first));
    for (const [count, index] of order.entries()) {
      using refused = await connectFrom("127.0.0.1", limited.port);
      assertStrictEquals(await isServed(refused), false);
      const attachment = attachments[index]!;
      if (count === 0) attachment[Symbol.dispose]();
      attachment.detach();
      attachment.detach();
    }
    using second = await connectFrom("127.0.0.1", limited.port);
    assert(await isServed(second));
    assertEquals(attachments.map(({ limiter }) => limiter.open), [1, 1, 1]);
    first.fin();
    await eventually(() => limited.limiter.open === 1, "the first to be closed");
    assertEquals(attachments.map(({ limiter }) => limiter.open), [0, 0, 0]);
  }
});

test("limitServer() refuses a limiter that the server has already, until it is detached", async () => {
  await using limited = await serve({ limits: { maxPerClient: 1 } });
  const { server, limiter, attachment } = limited;
  assertThrows(() => limitServer(server, limiter), TypeError, "limiter");
  using before = await connectFrom("127.0.0.1", limited.port);
  assert(await isServed(before));
  attachment.detach();
  using between = await connectFrom("127.0.0.1", limited.port);
  assert(await isServed(between));
  assertStrictEquals(limiter.open, 1);
  const again = limitServer(server, limiter);
  // It is another attachment that the old one has no hold on.
  attachment.detach();
  using after = await connectFrom("127.0.0.1", limited.port);
  assertStrictEquals(await isServed(after), false);
  again.detach();
});

test("limitServer() grows nothing by attaching and detaching", async () => {
  await using limited = await serve();
  const { server, attachment } = limited;
  const { emit } = server;
  const attach = (times: number) => {
    for (let i = 0; i < times; i++) limitServer(server, { maxPerClient: 0 }).detach();
    return heapUsed();
  };
  const before = attach(1_000);
  // Kept, each limiter would take more than a kilobyte.
  const grown = attach(10_000) - before;
  assert(grown < 2_000_000, `${grown} bytes are left on the heap`);
  assertStrictEquals(server.emit, emit);
  attachment.detach();
  using client = await connectFrom("127.0.0.1", limited.port);
  assert(await isServed(client));
  assertStrictEquals(limited.limiter.stats().admitted, 0);
});

test("limitServer() does not count what was open before", async () => {
  const server = KINDS.net!.create() as net.Server;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  using early = await connectFrom("127.0.0.1", (server.address() as net.AddressInfo).port);
  await ask(early, "answer");
  const { limiter } = limitServer(server, { maxPerClient: 1 });
  using late = await connectFrom("127.0.0.1", (server.address() as net.AddressInfo).port);
  await ask(late, "answer");
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

test("limitServer() leaves other events and their answers as they are, and those who replaced emit in their place", () => {
  const heard: unknown[] = [];
  class Loud extends net.Server {
    override emit(event: string | symbol, ...args: unknown[]): boolean {
      heard.push(["class", event, ...args]);
      return super.emit(event, ...args);
    }
  }
  const server = new Loud();
  const { emit } = server;
  server.emit = function (this: Loud, ...args: Parameters<typeof emit>) {
    heard.push(["property", ...args]);
    return emit.apply(this, args);
  };
  limitServer(server, { maxPerClient: 0 });
  const last = server.emit;
  server.emit = function (this: Loud, ...args: Parameters<typeof emit>) {
    heard.push(["later", ...args]);
    return last.apply(this, args);
  };
  assertStrictEquals(server.emit("other", 1, 2, 3, 4), false);
  server.on("other", function (this: unknown, ...args) {
    heard.push(this, args);
  });
  heard.length = 0;
  assertStrictEquals(server.emit("other", 1, 2, 3, 4), true);
  const args = ["other", 1, 2, 3, 4];
  assertEquals(heard.slice(0, 3), [["later", ...args], ["property", ...args], ["class", ...args]]);
  assertStrictEquals(heard[3], server);
  assertEquals(heard[4], [1, 2, 3, 4]);
  heard.length = 0;
  // What is refused goes no further than to who came after.
  const socket = new net.Socket();
  assertStrictEquals(server.emit("connection", socket), true);
  assertEquals(heard, [["later", "connection", socket]]);
  assert(socket.destroyed);
});

test("limitServer() takes nothing but servers", () => {
  const webSocketServer = Object.assign(new EventEmitter(), { address() {}, close() {} });
  const app = Object.assign(() => {}, { emit() {}, on() {}, listen() {} });
  const others = [undefined, null, 8000, "server", {}, new http.Agent(), new EventEmitter(), webSocketServer, app];
  for (const other of others) {
    assertThrows(() => limitServer(other as unknown as ServerLike), TypeError, "server must be a server");
  }
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
