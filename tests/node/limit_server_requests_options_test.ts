import * as http from "node:http";
import * as net from "node:net";
import { test } from "node:test";
import * as tls from "node:tls";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { limitServerRequests, type LimitServerRequestsOptions } from "@connlimit/connlimit/node";
import { HttpClient } from "../../testing/http_client.ts";
import { answering, client, LimitedRequests } from "../support/node/limited_requests.ts";

const from = (address: string) => `X-Forwarded-For: ${address}`;

test("limitServerRequests() tells hooks the request and the client, and reports what they and client throw", async () => {
  const heard: unknown[] = [];
  const errors: unknown[] = [];
  const { server } = answering();
  let fails = false;
  await using limited = await LimitedRequests.listen(server, { maxPerClient: 0 }, {
    client: (request, peer) => {
      if (fails) throw "client";
      return client(request, peer);
    },
    onRefused: ({ reason }, { method, url, socket }, client) => {
      heard.push([reason, method, url, socket.remoteAddress, client]);
      throw "onRefused";
    },
    answer: ({ reason }, { url }, client) => {
      if (url === "/throw") throw "answer";
      if (url === "/none") return;
      return { status: 418, headers: { "X-Reason": `${reason} ${client}` }, body: "no\n" };
    },
    onError: (error) => errors.push(error),
  });
  using proxy = await HttpClient.connect(limited.port, "127.0.0.1");
  proxy.send("GET /a?b", from("203.0.113.1"));
  const answer = await proxy.answer();
  assertEquals([answer.status, answer.headers.get("x-reason"), answer.body], [418, "client 203.0.113.1", "no\n"]);
  for (const path of ["/throw", "/none"]) {
    proxy.send(`GET ${path}`, from("203.0.113.1"));
    assertStrictEquals((await proxy.answer()).status, 429);
  }
  fails = true;
  proxy.send("GET /none");
  assertStrictEquals((await proxy.answer()).status, 403);
  assertEquals(heard, [
    ["client", "GET", "/a?b", "127.0.0.1", "203.0.113.1"],
    ["client", "GET", "/throw", "127.0.0.1", "203.0.113.1"],
    ["client", "GET", "/none", "127.0.0.1", "203.0.113.1"],
    ["unknown-address", "GET", "/none", "127.0.0.1", undefined],
  ]);
  assertEquals(errors, ["onRefused", "onRefused", "answer", "onRefused", "client", "onRefused"]);
});

test("limitServerRequests() sends no invalid answer, and reports it", async () => {
  const answers: unknown[] = [
    { status: 99 },
    { status: "429" },
    { status: 429, headers: { "x\r\ny": "z" } },
    { status: 429, headers: { x: "a\r\nb: c" } },
    { status: 429, headers: { x: 1 } },
    { status: 429, body: 1 },
    { status: 429, headers: new Headers({ x: "y" }) },
    new Response(),
    Promise.resolve({ status: 418 }),
    () => Promise.reject(new Error("nobody hears of it")),
    null,
  ];
  const errors: unknown[] = [];
  const { server } = answering();
  let next: unknown;
  await using limited = await LimitedRequests.listen(server, { maxPerClient: 0 }, {
    client,
    answer: () => (typeof next === "function" ? next() : next) as never,
    onError: (error) => errors.push(error),
  });
  using proxy = await HttpClient.connect(limited.port, "127.0.0.1");
  for (next of answers) {
    proxy.send("GET /");
    const { status, headers, body } = await proxy.answer();
    assertEquals([status, headers.get("b"), body], [429, null, "Too Many Requests\n"], String(next));
  }
  assertStrictEquals(errors.filter((error) => error instanceof TypeError).length, answers.length, errors.join("\n"));
});

test("limitServerRequests() rejects what is no server of HTTP, and bad options, naming them", () => {
  const server = http.createServer();
  const cases: [() => unknown, string][] = [
    [() => limitServerRequests(net.createServer()), "server must be a server of node:http, node:https or node:http2"],
    [() => limitServerRequests(tls.createServer()), "server must be a server of node:http, node:https or node:http2"],
    [
      () => limitServerRequests({} as never),
      "server must be a server of node:http, node:https or node:http2, got an ob",
    ],
    [
      () => limitServerRequests({ emit() {}, address() {}, listen() {}, setTimeout() {}, server } as never),
      'got an object; pass its property "server", which is one',
    ],
    [() => limitServerRequests(undefined as never), "server must be a server of node:http, node:https or node:http2"],
    [() => limitServerRequests(server, {}, { client: "x-real-ip" } as never), "client must be a function, got"],
    [() => limitServerRequests(server, {}, { answer: {} } as never), "answer must be a function, got an object"],
    [() => limitServerRequests(server, {}, { onRefused: 1 } as never), "onRefused must be a function, got 1"],
    [
      () => limitServerRequests(server, {}, { clients: () => "" } as LimitServerRequestsOptions),
      'unknown server request option "clients"; known are onRefused, onError, client, answer',
    ],
    [() => limitServerRequests(server, { maxPerClients: 1 } as never), 'unknown option "maxPerClients"'],
  ];
  for (const [call, error] of cases) assertThrows(call, TypeError, error);
  assertThrows(() => limitServerRequests(server, { maxPerClient: -1 }), RangeError, "maxPerClient must be");
  assert(!Object.hasOwn(server, "emit"));
});
