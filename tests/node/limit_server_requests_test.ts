import * as http from "node:http";
import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { forwarded } from "@connlimit/connlimit/proxy";
import { limitServer, limitServerRequests } from "@connlimit/connlimit/node";
import { HttpClient } from "../../testing/http_client.ts";
import { aWhile, eventually } from "../support/net.ts";
import { oneAddress } from "../support/platform.ts";
import { testUnless } from "../support/test_unless.ts";
import { answering, client, LimitedRequests } from "../support/node/limited_requests.ts";

const from = (address: string) => `X-Forwarded-For: ${address}`;

test("limitServerRequests() counts requests in flight, answers the one too many, and frees slots with responses", async () => {
  const { server, waiting } = answering();
  await using limited = await LimitedRequests.listen(server, { maxPerClient: 2 });
  using one = await HttpClient.ask(limited.port, "GET /wait");
  using two = await HttpClient.ask(limited.port, "GET /wait");
  await limited.holds(2);
  using three = await HttpClient.ask(limited.port, "GET /");
  const refused = await three.answer();
  assertEquals([refused.status, refused.body], [429, "Too Many Requests\n"]);
  assertEquals([refused.headers.get("retry-after"), refused.headers.get("connection")], ["1", "close"]);
  assertStrictEquals(await three.rest(), "");
  for (const response of waiting) response.end("done");
  assertEquals([(await one.answer()).body, (await two.answer()).body], ["done", "done"]);
  await limited.holds(0);
  // Their connections are open, and idle.
  one.send("GET /");
  assertStrictEquals((await one.answer()).body, "an answer");
  await limited.answered(3, 1);
});

test("limitServerRequests() answers each reason with its status", async () => {
  const limits = { maxPerClient: 5, maxTotal: 1, networks: { "203.0.113.0/24": { maxPerClient: 0 } } };
  const { server } = answering();
  await using limited = await LimitedRequests.listen(server, limits, { client });
  using holder = await HttpClient.ask(limited.port, "GET /wait", from("198.51.100.1"));
  await limited.holds(1);
  using proxy = await HttpClient.connect(limited.port, "127.0.0.1");
  proxy.send("GET /", from("198.51.100.2"));
  assertStrictEquals((await proxy.answer()).status, 503);
  proxy.send("HEAD /", from("203.0.113.1"));
  const blocked = await proxy.head();
  assertEquals([blocked.status, blocked.headers.get("retry-after")], [403, null]);
  // A connection that carries requests of many clients stays open.
  assertStrictEquals(blocked.headers.get("connection"), "keep-alive");
  assertStrictEquals(proxy.ended, false);
  assert(!holder.ended);
});

test("limitServerRequests() counts each request of one pipelined connection for its own client", async () => {
  const { server, waiting } = answering();
  await using limited = await LimitedRequests.listen(server, { maxPerClient: 2 }, { client });
  using proxy = await HttpClient.connect(limited.port, "127.0.0.1");
  // Three of each of 40 clients, in turns: the third of each is refused, and nobody else's.
  const clients = Array.from({ length: 40 }, (_, index) => `203.0.113.${index + 1}`);
  const requests = [1, 2, 3].flatMap(() => clients).map((address) =>
    `GET /wait HTTP/1.1\r\nHost: localhost\r\n${from(`198.51.100.1, ${address}`)}\r\n\r\n`
  );
  proxy.write(requests.join(""));
  await limited.answered(80, 40);
  assertEquals(clients.map((address) => limited.limiter.openFor(address)), clients.map(() => 2));
  assertStrictEquals(limited.limiter.openFor("198.51.100.1"), 0);
  // Responses are in the order of the requests.
  for (const response of waiting) response.end("done");
  for (let index = 0; index < 120; index++) {
    const { status } = await proxy.answer();
    assertStrictEquals(status, index < 80 ? 200 : 429);
  }
  await limited.holds(0);
  proxy.send("GET /", from(clients[0]!));
  assertStrictEquals((await proxy.answer()).status, 200);
});

testUnless(oneAddress, "limitServerRequests() refuses peers that are not trusted, whatever they say", async () => {
  const { server } = answering();
  const client = forwarded({ header: "x-forwarded-for", trusted: ["127.0.0.1"] });
  const errors: string[] = [];
  const onError = (error: unknown) => errors.push(String(error));
  await using limited = await LimitedRequests.listen(server, {}, { client, onError });
  const asked = async (address: string) => {
    using proxy = await HttpClient.connect(limited.port, address);
    proxy.send("GET /", from("127.0.0.1"));
    return (await proxy.answer()).status;
  };
  assertEquals([await asked("127.0.0.1"), await asked("127.0.0.2"), await asked("127.0.0.2")], [200, 403, 403]);
  assertStrictEquals(limited.limiter.stats().refusedBy["unknown-address"], 2);
  // Once, so that a deployment that refuses everyone does not do so in silence.
  assertEquals(errors.map((error) => error.includes("does forwarded() have it in its option trusted?")), [true]);
});

test("limitServerRequests() does not grow the listeners of connections that are kept alive", async () => {
  const { server } = answering();
  await using limited = await LimitedRequests.listen(server, {}, { client });
  limitServerRequests(server, {}, { client });
  using proxy = await HttpClient.connect(limited.port, "127.0.0.1");
  const listeners = () => {
    const [socket] = limited.sockets;
    return socket!.eventNames().map((name) => [String(name), socket!.listenerCount(name)]);
  };
  const ask = async () => {
    proxy.send("GET /", from("203.0.113.1"));
    assertStrictEquals((await proxy.answer()).status, 200);
    await limited.holds(0);
  };
  await ask();
  const before = listeners();
  for (let request = 0; request < 30; request++) await ask();
  assertEquals(listeners(), before);
});

test("limitServerRequests() works whatever was added before, after, or took its place", async () => {
  const server = http.createServer();
  await using limited = await LimitedRequests.listen(server, { maxPerClient: 0 });
  const heard: string[] = [];
  server.on("request", () => heard.push("after"));
  server.prependListener("request", () => heard.push("first"));
  // As engine.io does.
  server.removeAllListeners("request");
  server.on("request", (_request, response) => {
    heard.push("again");
    response.end();
  });
  using refused = await HttpClient.ask(limited.port, "GET /");
  assertStrictEquals((await refused.answer()).status, 429);
  assertEquals(heard, []);
  limited.handle.detach();
  limited.handle.detach();
  using served = await HttpClient.ask(limited.port, "GET /");
  assertStrictEquals((await served.answer()).status, 200);
  assertEquals(heard, ["again"]);
});

test("limitServerRequests() counts a request once that is announced twice or passed on to another server", async () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  const inner = http.createServer((_request, response) => void response.end("inner"));
  limitServerRequests(inner, limiter);
  const outer = http.createServer((request, response) => void inner.emit("request", request, response));
  outer.on("checkContinue", (request, response) => {
    response.writeContinue();
    outer.emit("request", request, response);
  });
  await using limited = await LimitedRequests.listen(outer, limiter);
  using one = await HttpClient.ask(limited.port, "GET /");
  assertStrictEquals((await one.answer()).body, "inner");
  await limited.holds(0);
  using two = await HttpClient.ask(limited.port, "POST /", "Expect: 100-continue", "Content-Length: 1");
  assertStrictEquals(await two.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  two.write("x");
  assertStrictEquals((await two.answer()).body, "inner");
  await limited.answered(2, 0);
});

for (const order of ["limitServer() first", "limitServerRequests() first"]) {
  test(`limitServerRequests() and limitServer() work together, ${order}`, async () => {
    const { server } = answering();
    const connections = new Limiter({ maxPerClient: 2 });
    const limitConnections = () => limitServer(server, connections);
    if (order.startsWith("limitServer()")) limitConnections();
    await using limited = await LimitedRequests.listen(server, { maxPerClient: 1 });
    if (!order.startsWith("limitServer()")) limitConnections();
    using one = await HttpClient.ask(limited.port, "GET /wait");
    await limited.holds(1);
    using two = await HttpClient.ask(limited.port, "GET /");
    assertStrictEquals((await two.answer()).status, 429);
    await two.rest();
    await eventually(() => connections.open === 1, "the refused connection to be closed");
    using three = await HttpClient.connect(limited.port);
    await eventually(() => connections.open >= 1, "the connections to be counted");
    three.send("GET /");
    assertStrictEquals((await three.answer()).status, 429);
    one.reset();
    await limited.holds(0);
    await eventually(() => connections.open === 0, "every connection's slot to be free");
    assertThrows(() => limitServerRequests(server, connections), TypeError, "limiter must be one that the server");
    assertThrows(() => limitServer(server, limited.limiter), TypeError, "limiter must be one that the server");
  });
}

test("limitServerRequests() with several limiters needs the admission of all, and releases what the others gave", async () => {
  const { server } = answering();
  const first = new Limiter({ maxPerClient: 5 });
  limitServerRequests(server, first);
  await using limited = await LimitedRequests.listen(server, { maxPerClient: 1 });
  using one = await HttpClient.ask(limited.port, "GET /wait");
  await limited.holds(1);
  using two = await HttpClient.ask(limited.port, "GET /wait");
  assertStrictEquals((await two.answer()).status, 429);
  await eventually(() => first.open === 1, "the slot of the refused request to be free");
  one.reset();
  await eventually(() => first.open === 0, "all slots to be free");
  assertEquals([first.stats().admitted, first.stats().refused], [2, 0]);
});

test("limitServerRequests() does not touch other events", async () => {
  const { server } = answering();
  await using limited = await LimitedRequests.listen(server, { maxPerClient: 0 });
  assertStrictEquals(server.emit("other" as never, 1), false);
  let args: unknown[] = [];
  server.on("other", (...all: unknown[]) => args = all);
  assertStrictEquals(server.emit("other" as never, 1, 2, 3, 4), true);
  assertEquals(args, [1, 2, 3, 4]);
  using half = await HttpClient.connect(limited.port);
  half.write("GET / HT");
  await aWhile();
  assertEquals([limited.limiter.open, limited.limiter.stats().refused], [0, 0]);
});
