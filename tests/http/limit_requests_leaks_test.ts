/**
 * Attempts to leak a slot, to get in, or to cost the server more than they should.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals, assertLessOrEqual, assertStrictEquals, assertThrows } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { limitRequests } from "@connlimit/connlimit/http";
import { heapUsed } from "../../testing/memory.ts";
import { eventually } from "../support/net.ts";
import { oneAddress } from "../support/platform.ts";
import { Served } from "../support/http/served.ts";

test("limitRequests() frees the slot of a handler that is called with a request alone", async () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  const client = () => "192.0.2.7";
  const ok = limitRequests(limiter, (_request: Request, _info?: unknown) => new Response("ok"), { client });
  assertStrictEquals((ok(new Request("http://localhost/"), undefined) as Response).status, 200);
  assertStrictEquals(limiter.open, 0);
  const later = limitRequests(limiter, () => Promise.resolve(new Response("ok")), { client });
  const response = later(new Request("http://localhost/"), undefined);
  assertStrictEquals(limiter.open, 1);
  await response;
  await eventually(() => limiter.open === 0, "the slot to be free");
});

test("limitRequests() takes no slot for a request that nothing can be attached to, and throws", () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  const limited = limitRequests(limiter, () => new Response("ok"), { client: () => "192.0.2.7" });
  assertThrows(() => limited(Object.freeze(new Request("http://localhost/")), {}), TypeError, "extensible");
  assertStrictEquals(limiter.open, 0);
});

test("limitRequests() refuses, and survives, where the client is named by a promise that rejects", async () => {
  const errors: unknown[] = [];
  const limited = limitRequests({}, () => new Response("ok"), {
    client: (() => Promise.reject("no")) as unknown as () => string,
    onError: (error) => void errors.push(error),
  });
  assertStrictEquals((limited(new Request("http://localhost/"), {}) as Response).status, 403);
  await eventually(() => errors.length > 1, "the error");
  assertEquals([String(errors[0]).slice(0, 35), ...errors.slice(1)], ["TypeError: client returned a promis", "no"]);
});

test("limitRequests() holds the slot of a request that was made of the server's, until its handler settles", async () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  const settle: ((response: Response) => void)[] = [];
  const limited = limitRequests(limiter, () => new Promise<Response>((resolve) => settle.push(resolve)), {
    client: () => "192.0.2.7",
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

test(
  "limitRequests() keeps nothing of requests that have ended, and of refused ones",
  { skip: oneAddress },
  async () => {
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
  },
);

test("limitRequests() keeps handlers within the limit that work for clients who reset at once", async () => {
  let [working, most] = [0, 0];
  let settle: (() => void) | undefined;
  // Also of those who are heard of only when others are done.
  const settled = new Promise<void>((resolve) => settle = resolve);
  await using server = new Served(async () => {
    most = Math.max(most, ++working);
    await settled;
    working--;
    return new Response("done");
  }, { limits: { maxPerClient: 2 } });
  const answered = () => {
    const { admitted, refused } = server.limiter.stats();
    return admitted + refused;
  };
  for (let i = 0; i < 100; i++) {
    const client = await server.ask("GET /");
    // Half of them leave when the server has heard of them, the others before.
    if (i < 50) await eventually(() => answered() > i, "an answer");
    client.reset();
  }
  assertEquals([most, server.limiter.open], [2, 2]);
  settle!();
  await server.empty();
});
