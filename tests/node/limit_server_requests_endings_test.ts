/**
 * A slot is released when its request ends, and nothing is left behind, however the request ends.
 *
 * @module
 */

import { once } from "node:events";
import * as http from "node:http";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { HttpClient } from "../../testing/http_client.ts";
import { eventually } from "../support/net.ts";
import { answering, client, LimitedRequests } from "../support/node/limited_requests.ts";
import { ignore } from "../support/node/server_kinds.ts";

const LEAVES: Readonly<Record<string, (client: HttpClient) => void>> = {
  "ends its side": (client) => client.fin(),
  "resets": (client) => client.reset(),
  "closes": (client) => client[Symbol.dispose](),
};

for (const [leaves, leave] of Object.entries(LEAVES)) {
  test(`limitServerRequests() keeps nothing of a client that ${leaves} while a middleware waits`, async () => {
    let reached = 0;
    const server = http.createServer(async (_request, response) => {
      // Such as a session that is looked up.
      await delay(50);
      reached++;
      response.end("late");
    });
    await using limited = await LimitedRequests.listen(server, { maxPerClient: 5 });
    const clients = await Promise.all([1, 2, 3, 4, 5].map(() => HttpClient.ask(limited.port, "GET /")));
    await limited.holds(5);
    clients.forEach(leave);
    await limited.holds(0);
    await eventually(() => reached === 5, "the middleware to go on");
    using after = await HttpClient.ask(limited.port, "GET /");
    assertStrictEquals((await after.answer()).body, "late");
  });

  test(`limitServerRequests() keeps nothing of requests behind one at work when the client ${leaves}`, async () => {
    const { server, waiting } = answering();
    await using limited = await LimitedRequests.listen(server, { maxPerClient: 20 }, { client });
    for (let round = 0; round < 3; round++) {
      const pipelined = await HttpClient.connect(limited.port, "127.0.0.1");
      // The first waits; those behind it are answered, and their answers queue.
      const paths = ["/wait", ...Array(9).fill("/"), "/wait", ...Array(9).fill("/")];
      pipelined.write(
        paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n`).join(""),
      );
      await limited.holds(20);
      leave(pipelined);
      await limited.holds(0);
    }
    assertEquals([limited.limiter.stats().admitted, limited.limiter.stats().refused], [60, 0]);
    for (const response of waiting) response.end();
    await limited.holds(0);
  });
}

/** What a handler may do with a response, with the requests that bring it about. */
const HANDLERS: Readonly<Record<string, (response: http.ServerResponse) => void>> = {
  "ends it": (response) => void response.end("x"),
  "ends it without a body": (response) => void response.writeHead(204).end(),
  "streams it": async (response) => {
    for (let part = 0; part < 3; part++) {
      response.write("x");
      await delay(1);
    }
    response.end();
  },
  "destroys it": (response) => void response.destroy(),
  "destroys its socket": (response) => void response.req.socket.destroy(),
  "fails in it": (response) => void response.on("error", ignore).destroy(new Error("on purpose")),
  "removes the listeners of its end": (response) => void response.removeAllListeners("close").end("x"),
  "closes the connection with it": (response) => void response.setHeader("connection", "close").end("x"),
  "writes more than it said": (response) =>
    void response.on("error", ignore).writeHead(200, { "content-length": 1 }).end("x"),
};

const REQUESTS = {
  "GET": "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
  "HEAD": "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
  "HTTP/1.0": "GET / HTTP/1.0\r\n\r\n",
  "POST": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
  "half a POST": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe",
  "chunks": "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
};

for (const [handles, handle] of Object.entries(HANDLERS)) {
  test(`limitServerRequests() releases the slot of a response whose handler ${handles}`, async () => {
    const server = http.createServer((_request, response) => handle(response));
    await using limited = await LimitedRequests.listen(server, { maxPerClient: 1 });
    for (const [name, request] of Object.entries(REQUESTS)) {
      using client = await HttpClient.connect(limited.port);
      const admitted = limited.limiter.stats().admitted;
      client.write(request);
      await eventually(() => limited.limiter.stats().admitted > admitted, `${name} to be admitted`);
      await limited.holds(0);
    }
    assertStrictEquals(limited.limiter.stats().refused, 0);
  });
}

test("limitServerRequests() holds the slot until the client has been sent all of the response", async () => {
  const size = 64 << 20;
  const server = http.createServer((_request, response) => void response.end(new Uint8Array(size)));
  await using limited = await LimitedRequests.listen(server, { maxPerClient: 1 });
  using slow = await HttpClient.ask(limited.port, "GET /");
  slow.socket.pause();
  await limited.holds(1);
  using other = await HttpClient.ask(limited.port, "GET /");
  assertStrictEquals((await other.answer()).status, 429);
  slow.socket.resume();
  slow.socket.on("data", ignore);
  await limited.holds(0);
});

test("limitServerRequests() has refused requests' bodies read or their connections closed", async () => {
  const { server } = answering();
  await using limited = await LimitedRequests.listen(server, { maxPerClient: 0 }, { client });
  using proxy = await HttpClient.connect(limited.port, "127.0.0.1");
  const body = "x".repeat(100_000);
  for (let request = 0; request < 3; request++) {
    proxy.send("POST /", `Content-Length: ${body.length}`);
    proxy.write(body);
    assertStrictEquals((await proxy.answer()).status, 429);
  }
  await limited.answered(0, 3);
});

test("limitServerRequests() releases all slots when the server closes its connections", async () => {
  const { server, waiting } = answering();
  await using limited = await LimitedRequests.listen(server, { maxPerClient: 10 });
  const clients = await Promise.all(Array.from({ length: 10 }, () => HttpClient.ask(limited.port, "GET /wait")));
  await limited.holds(10);
  const idle = limited.limiter.idle();
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await Promise.all([idle, closed]);
  assertStrictEquals(waiting.length, 10);
  for (const client of clients) client[Symbol.dispose]();
});

test("limitServerRequests() leaves nothing on connections that stay open", async () => {
  const { server } = answering();
  await using limited = await LimitedRequests.listen(server, {}, { client });
  using proxy = await HttpClient.connect(limited.port, "127.0.0.1");
  const gc = (globalThis as { gc?: () => void }).gc;
  const responses: WeakRef<http.ServerResponse>[] = [];
  server.on("request", (_request, response) => responses.push(new WeakRef(response)));
  for (let request = 0; request < 200; request++) {
    proxy.send("GET /", `X-Forwarded-For: 203.0.113.${request}`);
    await proxy.answer();
  }
  await limited.holds(0);
  assertStrictEquals(limited.limiter.stats().clients, 0);
  if (gc === undefined) return;
  await eventually(() => {
    gc();
    return responses.filter((response) => response.deref() !== undefined).length < 20;
  }, "the responses to be collected");
  assert(!proxy.ended);
});
