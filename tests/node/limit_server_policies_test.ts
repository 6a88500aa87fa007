/**
 * A rate and a dry run of limits on the connections and requests of Node servers.
 *
 * @module
 */

import * as http from "node:http";
import * as net from "node:net";
import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { tooManyConnections } from "@connlimit/connlimit/node";
import { HttpClient } from "../../testing/http_client.ts";
import { connectFrom, ended, eventually } from "../support/net.ts";
import { answering, LimitedRequests } from "../support/node/limited_requests.ts";
import { Limited } from "../support/node/limited_server.ts";
import { ask, listenHttp } from "../support/node/refused_http.ts";

const limits = { rate: { perSecond: 0.01, burst: 1 } };

test("tooManyConnections() says when the next connection is due", async () => {
  await using limited = await listenHttp(limits, { writeDeadline: 5_000 });
  {
    using client = await connectFrom("127.0.0.1", limited.port);
    client.socket.write("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert((await ended(client)).startsWith("HTTP/1.1 200 "));
  }
  const answer = await ask(limited.port);
  assert(answer.startsWith("HTTP/1.1 429 "), answer);
  const wait = Number(/^retry-after: (\d+)\r$/m.exec(answer)?.[1]);
  assert(wait > 90 && wait <= 100, answer);
});

test("limitServerRequests() says when the next request is due", async () => {
  const { server } = answering();
  await using limited = await LimitedRequests.listen(server, limits);
  using one = await HttpClient.ask(limited.port, "GET /");
  assertStrictEquals((await one.answer()).status, 200);
  using two = await HttpClient.ask(limited.port, "GET /");
  const { status, headers } = await two.answer();
  const wait = Number(headers.get("retry-after"));
  assertEquals([status, wait > 90, wait <= 100], [429, true, true], `${wait}`);
});

test("limitServerRequests() answers in a dry run as if there were no limits", async () => {
  const { server } = answering();
  const told: unknown[] = [];
  await using limited = await LimitedRequests.listen(server, { maxPerClient: 0, dryRun: true }, {
    onRefused: ({ reason, dryRun }, request) => void told.push([reason, dryRun, request.url]),
  });
  for (let i = 0; i < 2; i++) {
    using client = await HttpClient.ask(limited.port, "GET /");
    assertStrictEquals((await client.answer()).status, 200);
  }
  assertEquals(told, [["client", true, "/"], ["client", true, "/"]]);
  await limited.limiter.idle();
});

test("limitServer() admits in a dry run, leaves errors to the server's listeners, and frees slots that hooks close", async () => {
  const told: unknown[] = [];
  const server = net.createServer((socket) => socket.end("an answer"));
  await using limited = await Limited.listen(server, {
    limits: { maxPerClient: 0, dryRun: true },
    options: {
      onRefused({ reason, dryRun }, socket) {
        told.push([reason, dryRun, socket.listenerCount("error")]);
        if (told.length === 2) socket.destroy();
      },
    },
  });
  using one = await connectFrom("127.0.0.1", limited.port);
  assertStrictEquals(await ended(one), "an answer");
  using two = await connectFrom("127.0.0.1", limited.port);
  assertStrictEquals(await ended(two), "");
  assertEquals(told, [["client", true, 0], ["client", true, 0]]);
  await limited.limiter.idle();
  assertEquals([limited.limiter.open, limited.limiter.stats().refused], [0, 0]);
});

test("limitServer() with an answer sends it to nobody in a dry run", async () => {
  const server = http.createServer((_, response) => response.end("from the server"));
  const limits = { maxTotal: 0, dryRun: true };
  await using limited = await Limited.listen(server, { limits, options: { answer: tooManyConnections() } });
  using client = await HttpClient.ask(limited.port, "GET /");
  assertEquals([(await client.answer()).body], ["from the server"]);
  await eventually(() => limited.limiter.stats().wouldRefuse.total === 1, "it to be counted");
});
