/**
 * Viewers that come and go, and those that never read.
 *
 * @module
 */

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { dashboard } from "@connlimit/connlimit/dashboard";
import { nodeHandler } from "../../src/dashboard/node_handler.ts";
import { encodeMessage, Viewers } from "../../src/dashboard/viewers.ts";
import { heapUsed } from "../../testing/memory.ts";
import { get } from "../support/dashboard.ts";
import { serve } from "../support/http/serve.ts";
import { connectFrom, eventually } from "../support/net.ts";
import { isBun, isDeno } from "../support/platform.ts";

const MESSAGE = encodeMessage("{}");

test("A viewer that reads gets every message, and leaves when it cancels", async () => {
  const viewers = new Viewers(2);
  const reader = viewers.add(MESSAGE).getReader();
  for (let i = 0; i < 100; i++) {
    assertEquals((await reader.read()).value, MESSAGE);
    viewers.send(MESSAGE);
  }
  assertEquals(viewers.size, 1);
  await reader.cancel();
  assertEquals(viewers.size, 0);
  viewers.send(MESSAGE);
});

test("A viewer that does not read holds one message, and is ended after fifteen that it missed", async () => {
  const viewers = new Viewers(2);
  const body = viewers.add(MESSAGE);
  for (let i = 0; i < 14; i++) viewers.send(encodeMessage(`${i}`));
  assertEquals(viewers.size, 1);
  viewers.send(MESSAGE);
  assertEquals(viewers.size, 0);
  assertEquals(await new Response(body).text(), "retry: 2000\ndata: {}\n\n");
});

test("A viewer that reads now and then stays", async () => {
  const viewers = new Viewers(2);
  const reader = viewers.add(MESSAGE).getReader();
  for (let i = 0; i < 10; i++) {
    for (let missed = 0; missed < 14; missed++) viewers.send(MESSAGE);
    await reader.read();
    await Promise.resolve();
  }
  assertEquals(viewers.size, 1);
  viewers.end();
  assert(viewers.isFull);
});

test("Beyond the most viewers, others are told to come again, and find a place that was left", async () => {
  const limiter = new Limiter();
  using page = dashboard({ chat: limiter }, { authorize: () => true, maxViewers: 2 });
  const [first, second] = [await get(page, "events"), await get(page, "events")];
  const third = await get(page, "events");
  assertEquals([third.status, third.headers.get("retry-after")], [503, "5"]);
  assertEquals((await get(page, "stats.json")).status, 200, "other answers are not refused");
  await first.body!.cancel();
  const fourth = await get(page, "events");
  assertEquals(fourth.status, 200);
  for (const { body } of [second, fourth]) await body!.cancel();
  assertEquals(limiter.open, 0);
});

test("A thousand viewers that come, read nothing and go leave nothing behind", async () => {
  const limiter = new Limiter();
  using page = dashboard({ chat: limiter }, { authorize: () => true, maxViewers: 1_000 });
  const round = async () => {
    const responses = [];
    for (let i = 0; i < 1_000; i++) responses.push(await get(page, "events"));
    assertEquals((await get(page, "events")).status, 503);
    for (const [i, { body }] of responses.entries()) {
      // Half of them have begun to read.
      const reader = body!.getReader();
      if (i % 2 === 0) await reader.read();
      await reader.cancel();
    }
  };
  for (let i = 0; i < 2; i++) await round();
  const before = heapUsed();
  for (let i = 0; i < 5; i++) await round();
  assertLessOrEqual(heapUsed() - before, 500_000);
  assertEquals(limiter.open, 0);
});

/** A viewer who reads nothing of what a server sends it. */
async function deaf(viewers: Viewers, port: number): Promise<void> {
  using client = await connectFrom("127.0.0.1", port);
  client.socket.pause();
  client.socket.write("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await eventually(() => viewers.size === 1, "the viewer");
  // More than systems buffer for one connection.
  const message = new Uint8Array(1_000_000);
  let sent = 0;
  await eventually(() => {
    viewers.send(message);
    sent++;
    return viewers.size === 0;
  }, "the end of the viewer");
  assertLessOrEqual(sent, 100);
}

const handler = (viewers: Viewers) => () => new Response(viewers.add(MESSAGE));

test("A viewer that reads nothing is ended on node:http", async () => {
  const viewers = new Viewers(1);
  const server = createServer(nodeHandler(() => Promise.resolve(handler(viewers)()))).listen(0, "127.0.0.1");
  await once(server, "listening");
  await deaf(viewers, (server.address() as AddressInfo).port);
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

if (isDeno || isBun) {
  test("A viewer that reads nothing is ended on the runtime's own server", async () => {
    const viewers = new Viewers(1);
    const server = serve(handler(viewers));
    await deaf(viewers, server.port);
    await server.stop(true);
  });
}
