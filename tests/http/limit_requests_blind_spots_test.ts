/**
 * What `limitRequests()` cannot reach on each runtime, as docs/runtimes.md has it. A test that fails here may be good news.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertStrictEquals } from "@std/assert";
import { limitRequests } from "@connlimit/connlimit/http";
import { aWhile, connectFrom, ended, reply } from "../support/net.ts";
import { isBun, isDeno } from "../support/platform.ts";

const GET = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

// deno-lint-ignore no-explicit-any
type Serve = { serve(options: any, handler?: any): any };
const { Bun, Deno } = globalThis as unknown as { readonly Bun: Serve; readonly Deno: Serve };

/** Serves with a handler that refuses everyone. */
async function withServer(use: (port: number) => Promise<void>, options: object = {}) {
  const handler = limitRequests({ maxPerClient: 0 }, () => new Response("never"));
  const where = { hostname: "127.0.0.1", port: 0, onListen() {}, ...options };
  const server = isBun ? Bun.serve({ ...where, fetch: handler }) : Deno.serve(where, handler);
  try {
    await use(isBun ? server.port : server.addr.port);
  } finally {
    await (isBun ? server.stop(true) : server.shutdown());
  }
}

test("limitRequests() asks for the connection of a refused request to be closed, which Deno does not do", () =>
  withServer(async (port) => {
    using client = await connectFrom("127.0.0.1", port);
    const answer = await reply(client, GET);
    assert(answer.startsWith("HTTP/1.1 429 ") && /^connection: close\r$/im.test(answer), answer);
    if (!isDeno) return void await ended(client);
    await aWhile();
    assertStrictEquals(client.socket.closed, false);
  }));

test("limitRequests() does not see the static routes of Bun.serve", { skip: !isBun }, () =>
  withServer(async (port) => {
    using client = await connectFrom("127.0.0.1", port);
    assert((await reply(client, GET)).startsWith("HTTP/1.1 200 "));
  }, { routes: { "/": new Response("static") } }));
