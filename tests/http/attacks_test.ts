/**
 * What could leak a slot, let somebody in, or cost a server more than it should.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals, assertLessOrEqual, assertStrictEquals, assertThrows } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { limitRequests } from "@connlimit/connlimit/http";
import { heapUsed } from "../support/memory.ts";
import { eventually } from "../support/net.ts";
import { Served } from "./serve.ts";

test("limitRequests() frees the slots of what calls a handler with a request alone", async () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  const address = () => "192.0.2.7";
  const ok = limitRequests(limiter, (_request: Request, _info?: unknown) => new Response("ok"), { address });
  assertStrictEquals((ok(new Request("http://localhost/"), undefined) as Response).status, 200);
  assertStrictEquals(limiter.open, 0);
  const later = limitRequests(limiter, () => Promise.resolve(new Response("ok")), { address });
  const response = later(new Request("http://localhost/"), undefined);
  assertStrictEquals(limiter.open, 1);
  await response;
  await eventually(() => limiter.open === 0, "the slot to be free");
});

test("limitRequests() takes no slot for a request that nothing can be attached to, and throws", () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  const limited = limitRequests(limiter, () => new Response("ok"), { address: () => "192.0.2.7" });
  assertThrows(() => limited(Object.freeze(new Request("http://localhost/")), {}), TypeError, "extensible");
  assertStrictEquals(limiter.open, 0);
});

test("limitRequests() refuses, and survives, where the address is asked for with a promise that rejects", async () => {
  const errors: unknown[] = [];
  const limited = limitRequests({}, () => new Response("ok"), {
    address: (() => Promise.reject("no")) as unknown as () => string,
    onError: (error) => void errors.push(error),
  });
  assertStrictEquals((limited(new Request("http://localhost/"), {}) as Response).status, 403);
  await eventually(() => errors.length > 0, "the error");
  assertEquals(errors, ["no"]);
});

test("limitRequests() holds the slot of a request that was made of the server's, until its handler settles", async () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  const settle: ((response: Response) => void)[] = [];
  const limited = limitRequests(limiter, () => new Promise<Response>((resolve) => settle.push(resolve)), {
    address: () => "192.0.2.7",
  });
  await using server = new Served((request, info) => limited(new Request(request), info), {
    limits: { maxPerClient: Infinity },
  });
  using client = await server.ask("GET /");
  await eventually(() => settle.length === 1, "the handler to be called");
  for (let i = 0; i < 3; i++) assertStrictEquals(await server.status("GET /"), 429);
  assertStrictEquals(limiter.open, 1);
  settle[0]!(new Response("done"));
  assertStrictEquals((await client.answer()).body, "done");
  await eventually(() => limiter.open === 0, "the slot to be free");
});

test("limitRequests() keeps nothing of requests that have ended, and of refused ones", async () => {
  await using server = new Served(async (request) => {
    await Promise.resolve();
    return new Response(request.url.endsWith("/stream") ? new Response("ok").body : "ok");
  }, { limits: { maxPerClient: 10, networks: { "127.0.0.66/32": { maxPerClient: 0 } } } });
  const ask = async (address: string, path: string, status: number) => {
    let client = await server.connect(address);
    for (let i = 0; i < 1000; i++) {
      client.send(`GET ${path}`);
      const answer = await client.answer();
      assertStrictEquals(answer.status, status);
      if (status !== 200) {
        client[Symbol.dispose]();
        client = await server.connect(address);
      }
    }
  };
  const all = () =>
    Promise.all([
      ...[1, 2, 3].map((i) => ask(`127.0.0.${i + 1}`, "/", 200)),
      ...[1, 2, 3].map((i) => ask(`127.0.0.${i + 1}`, "/stream", 200)),
      ask("127.0.0.66", "/", 403),
    ]);
  await all();
  await server.empty();
  const before = heapUsed();
  await all();
  await server.empty();
  // Seven thousand requests, of which each would be a kilobyte and more.
  assertLessOrEqual(heapUsed() - before, 3 * 2 ** 20);
});
