/**
 * A user's tests with Deno's sanitizers on, which fail where anything is left when a test ends. Each ends as soon as its
 * server has stopped.
 *
 * @module
 */

import { once } from "node:events";
import { createServer } from "node:http";
import * as net from "node:net";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { limitedListener, Limiter, logRefusals, watchRefusals } from "@connlimit/connlimit";
import { limitRequests, type LimitRequestsOptions, upgradeWebSocket } from "@connlimit/connlimit/http";
import { limitServer, limitServerRequests, tooManyConnections } from "@connlimit/connlimit/node";
import { proxyProtocol } from "@connlimit/connlimit/proxy";
import { HttpClient } from "../../testing/http_client.ts";
import { eventually } from "../support/net.ts";

const LIMITS = { maxPerClient: 2 };

function sanitized(name: string, fn: () => Promise<void>): void {
  Deno.test({
    name: `A user's test with sanitizers on passes: ${name}`,
    sanitizeOps: true,
    sanitizeResources: true,
    fn,
  });
}

/** Serves, and has clients ask. */
async function withServed(
  handler: (request: Request) => Response | Promise<Response>,
  use: (port: number) => Promise<void>,
  options: LimitRequestsOptions = {},
): Promise<void> {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, limitRequests(LIMITS, handler, options));
  await use(server.addr.port);
  await server.shutdown();
}

/** Sends a request, not by `fetch()`, which keeps connections. Resolves to the status and the body. */
async function ask(port: number, request = "GET /"): Promise<[number, string]> {
  using client = await HttpClient.connect(port);
  client.send(request, "Connection: close");
  const { status, body } = await client.answer();
  return [status, body];
}

function later<T>(value: T, milliseconds = 20): Promise<T> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds, value));
}

sanitized("an async handler", () =>
  withServed(async () => await later(new Response("ok")), async (port) => {
    for (let i = 0; i < 3; i++) assertEquals(await ask(port), [200, "ok"]);
  }));

sanitized(
  "an async handler that answers at once",
  () =>
    withServed(() => Promise.resolve(new Response("ok")), async (port) => {
      for (let i = 0; i < 3; i++) assertEquals(await ask(port), [200, "ok"]);
    }),
);

sanitized("refused requests, and a log of them", async () => {
  using onRefused = logRefusals({ logger: { warn() {} } });
  const open = Promise.withResolvers<void>();
  await withServed(() => open.promise.then(() => new Response("ok")), async (port) => {
    const clients = [await HttpClient.ask(port, "GET /"), await HttpClient.ask(port, "GET /")];
    await eventually(async () => (await ask(port))[0] === 429, "a refusal");
    open.resolve();
    for (const client of clients) {
      assertStrictEquals((await client.answer()).status, 200);
      client[Symbol.dispose]();
    }
  }, { onRefused });
});

sanitized("requests with deadlines", () =>
  withServed(async () => await later(new Response("ok")), async (port) => {
    assertEquals(await ask(port), [200, "ok"]);
  }, { maxAge: 60_000 }));

sanitized("a client that leaves before its handler settles", () => {
  const left = Promise.withResolvers<Response>();
  let called = false;
  return withServed(() => (called = true, left.promise), async (port) => {
    const client = await HttpClient.ask(port, "GET /");
    await eventually(() => called, "the handler");
    client.reset();
    left.resolve(new Response("late"));
  });
});

sanitized("a WebSocket", async () => {
  const closed = Promise.withResolvers<void>();
  await withServed((request) => {
    const { socket, response } = upgradeWebSocket(request);
    socket.onmessage = ({ data }) => socket.send(data);
    socket.onclose = () => closed.resolve();
    return response;
  }, async (port) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`);
    await once(socket, "open");
    socket.send("hello");
    await once(socket, "message");
    socket.close();
    await once(socket, "close");
    await closed.promise;
  });
});

sanitized("an accept loop with deadlines, answers and a proxy", async () => {
  for (const client of [undefined, proxyProtocol({ trusted: ["10.0.0.7"], untrusted: "direct" })]) {
    const limiter = new Limiter({ maxPerClient: 1 });
    using _ = watchRefusals(limiter);
    const listener = limitedListener(Deno.listen({ port: 0, hostname: "127.0.0.1" }), limiter, {
      idleTimeout: 60_000,
      maxAge: 60_000,
      ...client && { client },
    });
    const served = (async () => {
      for await (const conn of listener) conn.readable.pipeTo(conn.writable).catch(() => {});
    })();
    const first = await Deno.connect({ port: (listener.addr as Deno.NetAddr).port });
    await first.write(new Uint8Array(3));
    assertStrictEquals(await first.read(new Uint8Array(8)), 3);
    const second = await Deno.connect({ port: (listener.addr as Deno.NetAddr).port });
    assertStrictEquals(await second.read(new Uint8Array(8)), null);
    second.close();
    first.close();
    await listener.shutdown({ timeout: 5_000 });
    await served;
  }
});

sanitized("servers of node:net and node:http with deadlines and answers", async () => {
  const tcp = net.createServer((socket) => socket.pipe(socket));
  const http = createServer((_request, response) => void setTimeout(() => response.end("ok"), 20));
  limitServer(tcp, LIMITS, { firstByteTimeout: 60_000, idleTimeout: 60_000, maxAge: 60_000 });
  limitServer(http, { maxPerClient: 1 }, { firstByteTimeout: 60_000, answer: tooManyConnections() });
  limitServerRequests(http, LIMITS, { maxAge: 60_000, idleTimeout: 60_000 });
  for (const server of [tcp, http]) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  }
  const echo = net.connect((tcp.address() as net.AddressInfo).port, "127.0.0.1");
  echo.write("hello");
  await once(echo, "data");
  echo.destroy();
  const { port } = http.address() as net.AddressInfo;
  const open = await HttpClient.ask(port, "GET /");
  assertStrictEquals((await ask(port))[0], 429);
  assertStrictEquals((await open.answer()).body, "ok");
  open[Symbol.dispose]();
  for (const server of [tcp, http]) {
    server.close();
    await once(server, "close");
  }
});

sanitized("a server that is aborted while a handler waits for its client to leave", async () => {
  const abort = new AbortController();
  const limited = limitRequests(
    LIMITS,
    (request) =>
      new Promise<Response>((_, reject) => request.signal.addEventListener("abort", () => reject(new Error("left")))),
  );
  const { signal } = abort;
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {}, onError, signal }, limited);
  using _ = await HttpClient.ask(server.addr.port, "GET /");
  await eventually(() => limited.limiter.open === 1, "the handler");
  abort.abort();
  await server.finished;
});

function onError(): Response {
  return new Response("an error", { status: 500 });
}
