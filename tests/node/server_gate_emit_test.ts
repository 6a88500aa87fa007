/**
 * What others do to a server's `emit`, such as tracers and tests, does not switch its limits off.
 *
 * @module
 */

import type { EventEmitter } from "node:events";
import * as http from "node:http";
import * as net from "node:net";
import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { limitServer, limitServerRequests } from "@connlimit/connlimit/node";
import { HttpClient } from "../../testing/http_client.ts";
import { connectFrom, ended, eventually } from "../support/net.ts";
import { CLIENT_ADDRESS } from "../support/platform.ts";
import { answering, LimitedRequests } from "../support/node/limited_requests.ts";
import { Limited } from "../support/node/limited_server.ts";
import { isServed, listenNet } from "../support/node/listen_net.ts";
import { connectTo, KINDS } from "../support/node/server_kinds.ts";

type Emit = EventEmitter["emit"];
type Emitting = { emit: Emit };

/** Wraps a method as tracers do: by a property that is defined anew. Returns what puts it back as it was. */
function wrap(object: Emitting, heard: unknown[]): () => void {
  const before = Object.getOwnPropertyDescriptor(object, "emit");
  const { emit } = object;
  const value = function (this: unknown, ...args: Parameters<Emit>) {
    heard.push(args[0]);
    return emit.apply(this as EventEmitter, args);
  };
  Object.defineProperty(object, "emit", { value, configurable: true, enumerable: true, writable: true });
  return () => {
    if (before === undefined) Reflect.deleteProperty(object, "emit");
    else Object.defineProperty(object, "emit", before);
  };
}

/** The ways to put back an `emit` that was replaced before the server was limited. */
const WAYS: Readonly<Record<string, (server: Emitting, before: Emit) => void>> = {
  "assigns it": (server, before) => server.emit = before,
  "deletes the property": (server) => Reflect.deleteProperty(server, "emit"),
  "defines the property": (server, value) =>
    Object.defineProperty(server, "emit", { value, configurable: true, enumerable: true, writable: true }),
  "has wrapped the old one": (server, before) => {
    server.emit = function (this: EventEmitter, ...args: Parameters<Emit>) {
      return before.apply(this, args);
    };
  },
};

for (const [name, kind] of Object.entries(KINDS)) {
  test(`limitServer() limits ${name} on where somebody puts its emit back`, async () => {
    for (const putBack of Object.values(WAYS)) {
      const server = kind.create();
      const before = server.emit as Emit;
      await using limited = await Limited.listen(server, { limits: { maxPerClient: 1 } });
      for (let round = 0; round < 2; round++) {
        putBack(server as Emitting, before);
        using client = await connectTo(kind, limited.port);
        await kind.ask(client, "answer");
        assertStrictEquals(limited.limiter.open, 1);
        putBack(server as Emitting, before);
        using second = await connectFrom("127.0.0.1", limited.port);
        second.socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        await ended(second);
        client.fin();
        await limited.freed();
      }
      assertEquals([limited.limiter.stats().admitted, limited.limiter.stats().refused], [2, 2]);
    }
  });
}

test("limitServer() shows a refused connection to listeners once at most after somebody has put emit back", async () => {
  const server = net.createServer();
  const { emit } = server;
  await using limited = await Limited.listen(server, { limits: { maxPerClient: 0 } });
  server.emit = emit;
  for (let i = 0; i < 3; i++) {
    using client = await connectFrom("127.0.0.1", limited.port);
    assertStrictEquals(await ended(client), "");
  }
  await limited.answered(0, 3);
  assertEquals(limited.sockets.length, 1);
});

test("limitServer() limits again at once a server whose emit somebody has put back", async () => {
  const server = KINDS.net!.create();
  const { emit } = server;
  const limiters = [limitServer(server, { maxPerClient: 5 }).limiter];
  server.emit = emit;
  await using limited = await Limited.listen(server, { limits: { maxPerClient: 1 } });
  using first = await connectFrom("127.0.0.1", limited.port);
  assert(await isServed(first));
  using second = await connectFrom("127.0.0.1", limited.port);
  assertStrictEquals(await isServed(second), false);
  assertEquals([limited.sockets.length, limiters[0]!.stats().admitted, limited.limiter.open], [1, 2, 1]);
});

test("limitServerRequests() limits on where somebody puts emit back, also on connections that are open", async () => {
  for (const putBack of Object.values(WAYS)) {
    const { server, waiting } = answering();
    const before = server.emit as Emit;
    await using limited = await LimitedRequests.listen(server, { maxPerClient: 1 });
    using one = await HttpClient.ask(limited.port, "GET /");
    assertStrictEquals((await one.answer()).status, 200);
    using two = await HttpClient.ask(limited.port, "GET /");
    assertStrictEquals((await two.answer()).status, 200);
    putBack(server as Emitting, before);
    // The first request that comes by the old emit is not counted; it puts the limits in front again.
    one.send("GET /");
    assertStrictEquals((await one.answer()).status, 200);
    one.send("GET /wait");
    await limited.holds(1);
    two.send("GET /");
    assertStrictEquals((await two.answer()).status, 429);
    waiting[0]!.end("done");
    assertStrictEquals((await one.answer()).status, 200);
    // Or the next connection does.
    putBack(server as Emitting, before);
    using three = await HttpClient.ask(limited.port, "GET /wait");
    await limited.holds(1);
    assertStrictEquals(waiting.length, 2);
    three[Symbol.dispose]();
  }
});

test("limitServer() and limitServerRequests() keep wrappers of emit at work that come, and go, before and after", async () => {
  for (const where of ["instance", "prototype"]) {
    const server = http.createServer((_request, response) => void response.end("an answer"));
    const object = (where === "instance" ? server : http.Server.prototype) as Emitting;
    const [early, late] = [[], []] as unknown[][];
    const requests = () => [early, late].map((heard) => heard!.splice(0).filter((event) => event === "request").length);
    const unwraps = [wrap(object, early!)];
    try {
      await using limited = await Limited.listen(server, { limits: { maxPerClient: 1 } });
      limitServerRequests(server, { maxPerClient: 1 });
      unwraps.unshift(wrap(object, late!));
      const ask = async () => {
        using client = await HttpClient.ask(limited.port, "GET /");
        const served = (await client.answer()).status;
        using refused = await connectFrom(CLIENT_ADDRESS, limited.port);
        refused.socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assertStrictEquals(await ended(refused), "");
        client[Symbol.dispose]();
        await eventually(() => limited.limiter.open === 0, "the slot to be free");
        return served;
      };
      assertStrictEquals(await ask(), 200);
      assertEquals(requests(), [1, 1]);
      unwraps.shift()!();
      assertStrictEquals(await ask(), 200);
      assertEquals(requests(), [1, 0]);
      unwraps.shift()!();
      assertStrictEquals(await ask(), 200);
      assertEquals(requests(), [0, 0]);
      assertEquals([limited.limiter.stats().admitted, limited.limiter.stats().refused], [3, 3]);
    } finally {
      for (const unwrap of unwraps) unwrap();
    }
  }
});

test("limitServer() grows nothing by wrappers that come and go, nor by limits that do meanwhile", async () => {
  await using limited = await listenNet({ limits: { maxPerClient: 1 } });
  const server = limited.server as unknown as Emitting;
  let deepest = 0;
  for (let i = 0; i < 200; i++) {
    const unwrap = wrap(server, []);
    limitServer(limited.server, { maxPerClient: 5 }).detach();
    unwrap();
  }
  limited.server.once("depth", () => deepest = new Error().stack!.split("\n").length);
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 1_000;
  limited.server.emit("depth");
  Error.stackTraceLimit = stackTraceLimit;
  assert(deepest < 40, `the stack is ${deepest} deep`);
  using first = await connectFrom("127.0.0.1", limited.port);
  assert(await isServed(first));
  using second = await connectFrom("127.0.0.1", limited.port);
  assertStrictEquals(await isServed(second), false);
});
