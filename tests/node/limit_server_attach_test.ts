/**
 * Limiters are attached to servers and detached from them.
 *
 * @module
 */

import * as net from "node:net";
import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { limitServer } from "@connlimit/connlimit/node";
import { heapUsed } from "../../testing/memory.ts";
import { connectFrom, eventually } from "../support/net.ts";
import { isServed, listenNet } from "../support/node/listen_net.ts";

test("limitServer() can detach several limiters in any order, by whichever way", async () => {
  for (const order of [[0, 1, 2], [2, 1, 0], [1, 0, 2]]) {
    await using limited = await listenNet({ limits: { maxPerClient: Infinity } });
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
  await using limited = await listenNet({ limits: { maxPerClient: 1 } });
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
  await using limited = await listenNet();
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

test("limitServer() leaves other events, their results, and other replacements of emit as they are", () => {
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
