/**
 * A limiter that a request meets twice.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { limitRequests } from "@connlimit/connlimit/http";
import type { Handler } from "../support/http/serve.ts";
import { Served } from "../support/http/served.ts";

test("limitRequests() refuses a limiter that the handler has already, and takes another", () => {
  const limiter = new Limiter();
  const inner = limitRequests(limiter, () => new Response());
  const outer = limitRequests({}, inner);
  for (const handler of [inner, outer]) {
    assertThrows(
      () => limitRequests(limiter, handler),
      TypeError,
      "limiter must be one that the handler does not have already",
    );
  }
  assertStrictEquals(limitRequests(new Limiter(), outer).limiter === limiter, false);
});

test("limitRequests() counts a request once that meets the limiter again, and twice for two clients", async () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  const seen: number[] = [];
  const app = () => {
    seen.push(limiter.open);
    return new Response("served\n");
  };
  const again = limitRequests(limiter, app) as Handler;
  const account = limitRequests(limiter, app, { client: () => ({ key: "alice" }) }) as Handler;
  await using server = new Served(
    (request, info) => new URL(request.url).pathname === "/account" ? account(request, info) : again(request, info),
    { limits: limiter },
  );
  for (const path of ["/", "/", "/account", "/account", "/"]) {
    const client = await server.ask(`GET ${path}`);
    await client.until("served");
    client.fin();
    await server.empty();
  }
  assertEquals([seen, limiter.stats().refused], [[1, 1, 2, 2, 1], 0]);
});
