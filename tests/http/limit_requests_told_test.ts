/**
 * A set-up that refuses everyone, or limits nobody, is told: once for each cause, to `onError` or on the console.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { type Peer, REASONS } from "@connlimit/connlimit";
import { limitRequests, type LimitRequestsOptions, upgradeWebSocket } from "@connlimit/connlimit/http";
import { Hono } from "hono";
import { throwing } from "../support/failures.ts";
import { printed } from "../support/console.ts";
import { eventually } from "../support/net.ts";
import { CLIENT_ADDRESS, isBun, isDeno } from "../support/platform.ts";
import type { BunServer, Handler } from "../support/http/serve.ts";
import { Served } from "../support/http/served.ts";
import { CLOSE, HEADERS, open, serveSockets } from "../support/http/serve_sockets.ts";

const ok = () => new Response("ok");

/** Collects what is told. */
function collect(): { told: string[]; onError: (error: unknown) => void } {
  const told: string[] = [];
  return { told, onError: (error) => void told.push(String(error)) };
}

/** A client that is what a header says. */
const client: LimitRequestsOptions["client"] = (request) => request.headers.get("x-client");

test("limitRequests() tells onError once for each cause that client has named no client", async () => {
  const { told, onError } = collect();
  await using server = new Served(ok, { options: { client, onError } });
  const ask = async (...headers: string[]) =>
    (await (await server.ask("GET /", undefined, ...headers)).answer()).status;
  for (let i = 0; i < 20; i++) {
    assertStrictEquals(await ask(`X-Client: 203.0.113.${i}:4711`), REASONS["unknown-address"].status);
    assertStrictEquals(await ask(), 403);
    assertStrictEquals(await ask("X-Client: 203.0.113.7"), 200);
  }
  assertEquals(told, [
    'TypeError: client returned "203.0.113.0:4711", so the request is refused as "unknown-address"; ' +
    "return the address without port and brackets (see docs/checks.md#client-unnamed)",
    'TypeError: client returned null, so the request is refused as "unknown-address"; ' +
    "does the proxy set the header that client reads, and does forwarded() have it in its option trusted? (see docs/checks.md#client-unnamed)",
  ]);
  assertStrictEquals(server.limiter.stats().refusedBy["unknown-address"], 40);
});

test("limitRequests() prints one line for each cause where there is no onError", async () => {
  await using server = new Served(ok, { options: { client: () => "203.0.113.7:4711" } });
  const prints = await printed(async () => {
    for (let i = 0; i < 20; i++) assertStrictEquals(await server.status("GET /"), 403);
  });
  assertEquals(prints, [[
    'connlimit: client returned "203.0.113.7:4711", so the request is refused as "unknown-address"; ' +
    "return the address without port and brackets (see docs/checks.md#client-unnamed)",
  ]]);
});

test("limitRequests() refuses as before where onError fails at what it is told", async () => {
  const options = { client: () => undefined, onError: throwing(new Error("fails")) };
  await using server = new Served(ok, { options });
  const prints = await printed(async () => {
    for (let i = 0; i < 3; i++) assertStrictEquals(await server.status("GET /"), 403);
  });
  assertStrictEquals(prints.length, 1);
});

test("limitRequests() tells of a client that throws or rejects as such, and no more", async () => {
  const { told, onError } = collect();
  const rejects = () => Promise.reject(new Error("rejected")) as unknown as Peer;
  for (const client of [throwing(new Error("thrown")), rejects]) {
    await using server = new Served(ok, { options: { client, onError } });
    assertStrictEquals(await server.status("GET /"), 403);
  }
  await eventually(() => told.length === 3, "the rejection");
  assertEquals(told.map((text) => text.slice(0, 42)), [
    "Error: thrown",
    "TypeError: client returned a promise, so t",
    "Error: rejected",
  ]);
});

test("limitRequests() tells of a handler that is called without the runtime's second argument", () => {
  const { told, onError } = collect();
  const limited = limitRequests({}, ok, { onError }) as (request: Request, info?: unknown) => Response;
  for (const info of [undefined, {}, null]) {
    for (let i = 0; i < 3; i++) assertStrictEquals(limited(new Request("http://localhost/"), info).status, 403);
  }
  assertEquals(told, [
    "TypeError: limitRequests() was called without the runtime's second argument; pass it on to the limited handler, " +
    'or set the option client; until then requests are refused as "unknown-address" (see docs/checks.md#address-missing)',
  ]);
});

test("limitRequests() tells of responses whose ends it cannot see", () => {
  const { told, onError } = collect();
  const client = () => ({ key: "an account" });
  const limited = limitRequests({}, ok, { client, onError }) as (request: Request, info?: unknown) => Response;
  for (let i = 0; i < 3; i++) assertStrictEquals(limited(new Request("http://localhost/")).status, 200);
  assertEquals(told, [
    "TypeError: limitRequests() was called without the runtime's second argument; pass it on to the limited handler; " +
    "until then a slot is released before the response has ended (see docs/checks.md#end-unseen)",
  ]);
});

for (const header of ["X-Forwarded-For", "Forwarded", "X-Real-IP"]) {
  test(`limitRequests() tells that all users of a proxy are one client where it is refused with ${header}`, async () => {
    const { told, onError } = collect();
    await using server = new Served(ok, { limits: { maxPerClient: 0 }, options: { onError } });
    const ask = async (...headers: string[]) => {
      using client = await server.ask("GET /", undefined, "Connection: close", ...headers);
      assertStrictEquals((await client.answer()).status, 429);
    };
    // It looks at the first of 64.
    for (let i = 0; i < 64; i++) await ask();
    assertEquals(told, []);
    for (let i = 0; i < 65; i++) await ask(`${header}: for=203.0.113.7`);
    assertEquals(told, [
      `TypeError: ${CLIENT_ADDRESS} was refused at maxPerClient and sends the header ${header.toLowerCase()}; if it is ` +
      "your proxy, all its users are one client: set the option client (see docs/checks.md#proxy-refused)",
    ]);
  });
}

test("limitRequests() tells nothing of a proxy that the option client reads", async () => {
  const { told, onError } = collect();
  await using server = new Served(ok, { limits: { maxPerClient: 0 }, options: { client: () => "192.0.2.7", onError } });
  using refused = await server.ask("GET /", undefined, "X-Forwarded-For: 192.0.2.7");
  assertStrictEquals((await refused.answer()).status, 429);
  assertEquals(told, []);
});

test("limitRequests() tells of connections that have no IP address", () => {
  const { told, onError } = collect();
  const limited = limitRequests({}, ok, { onError });
  const info = { remoteAddr: { transport: "vsock", cid: 3, port: 7 } };
  for (let i = 0; i < 3; i++) {
    assertStrictEquals((limited(new Request("http://localhost/"), info) as Response).status, 403);
  }
  assertEquals(told, [
    'TypeError: the connection has no IP address, so the request is refused as "unknown-address"; ' +
    "set the option client (see docs/checks.md#address-unknown)",
  ]);
});

test(
  "limitRequests() tells of copies of Bun's requests, and not of clients that have left",
  { skip: !isBun },
  async () => {
    const { told, onError } = collect();
    const limited = limitRequests({}, ok, { onError }) as Handler;
    let left = () => {};
    const leaving = new Promise<void>((resolve) => left = resolve);
    await using server = new Served(async (request, info) => {
      if (request.url.endsWith("/copy")) return limited(new Request(request), info)!;
      request.signal.addEventListener("abort", left);
      await leaving;
      return limited(request, info)!;
    });
    const client = await server.ask("GET /");
    await server.held();
    client.reset();
    await leaving;
    await server.empty();
    assertEquals(told, []);
    for (let i = 0; i < 3; i++) assertStrictEquals(await server.status("GET /copy"), 403);
    assertEquals(told, [
      'TypeError: Bun has no address for the request, so it is refused as "unknown-address"; pass the Request of ' +
      "Bun.serve to the limited handler, not a copy, or set the option client (see docs/checks.md#request-copied)",
    ]);
  },
);

/** Handlers whose WebSockets hold no slots. */
const FOREIGN: Readonly<Record<string, () => Handler | Promise<Handler>>> = {
  ...isDeno && {
    "Deno.upgradeWebSocket()": () => (request) => Deno.upgradeWebSocket(request).response,
    "Deno.upgradeWebSocket() in an async handler": () => async (request) => {
      await Promise.resolve();
      return Deno.upgradeWebSocket(request).response;
    },
    "upgradeWebSocket() with a copy of the request": () => (request) => upgradeWebSocket(new Request(request)).response,
    "upgradeWebSocket() in Hono's mount()": () =>
      new Hono().mount("/", (request: Request) => upgradeWebSocket(request).response).fetch as Handler,
    "Hono's upgradeWebSocket()": async () => {
      // Not for Bun, where it cannot be imported.
      const { upgradeWebSocket } = await import("hono/deno");
      return new Hono().get("/", upgradeWebSocket(() => ({ onError() {} }))).fetch as Handler;
    },
  },
  ...isBun && {
    "an upgrade() read before the first request": () => {
      let upgrade: BunServer["upgrade"];
      return (request, server) => {
        upgrade ??= Object.getPrototypeOf(server).upgrade as BunServer["upgrade"];
        if (upgrade.call(server, request)) return undefined;
        return new Response("no WebSocket", { status: 400 });
      };
    },
  },
};

for (const [name, handler] of Object.entries(FOREIGN)) {
  test(`limitRequests() tells of WebSockets that are opened by ${name}`, async () => {
    const { told, onError } = collect();
    await using server = new Served(await handler(), { options: { onError } });
    for (let i = 0; i < 3; i++) {
      using client = await server.ask("GET /", undefined, ...HEADERS);
      assertStrictEquals((await client.head()).status, 101);
      await server.empty();
      client.write(CLOSE);
      await client.rest();
    }
    assertEquals(told.map((text) => text.slice(0, 34)), ["TypeError: a WebSocket holds no sl"]);
  });
}

test("limitRequests() tells nothing of WebSockets that hold slots, nor of upgrades that fail", async () => {
  const { told, onError } = collect();
  for (const before of [() => {}, () => Promise.resolve()]) {
    await using server = serveSockets({ options: { onError } }, before);
    const { client } = await open(server);
    client.reset();
    await server.freed();
    assertStrictEquals(await server.status("GET /"), isBun ? 400 : 500);
  }
  assertEquals(told, []);
});
