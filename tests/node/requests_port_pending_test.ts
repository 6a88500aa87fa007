/**
 * Requests whose limiter takes its time are not announced meanwhile, and nothing is left of those whose clients leave.
 *
 * @module
 */

import { once } from "node:events";
import * as http from "node:http";
import type * as net from "node:net";
import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { PendingStage } from "../../src/admission/pending_stage.ts";
import { RequestsPort } from "../../src/node/requests_port.ts";
import { ServerGate } from "../../src/node/server_gate.ts";
import type { Exchange } from "../../src/node/server_request.ts";
import { HttpClient } from "../../testing/http_client.ts";
import { aWhile, eventually, within } from "../support/net.ts";
import { ignore } from "../support/node/server_kinds.ts";
import { SlowAdmitter } from "../support/slow_admitter.ts";

/** A server whose limiter is slow. */
class Slow implements AsyncDisposable {
  readonly admitter = new SlowAdmitter({ maxPerClient: 2 });
  readonly stage: PendingStage<Exchange>;
  readonly seen: string[] = [];
  readonly server: http.Server;

  constructor(max = 10) {
    this.stage = new PendingStage<Exchange>({ max });
    this.server = http.createServer((request, response) => {
      this.seen.push(request.url!);
      let body = "";
      request.on("data", (data) => body += data);
      request.on("end", () => response.end(`${request.url} ${body}`));
    });
    this.server.on("upgrade", (request, socket: net.Socket) => {
      this.seen.push(request.url!);
      socket.on("error", ignore).on("data", (data) => socket.write(data));
      socket.write("HTTP/1.1 101 Echo\r\n\r\n");
    });
    ServerGate.of(this.server).addForRequests(new RequestsPort(this.server, this.admitter, {}, this.stage));
  }

  async listen(): Promise<number> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    return (this.server.address() as net.AddressInfo).port;
  }

  get limiter() {
    return this.admitter.limiter;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.server, "close");
    this.server.close();
    this.server.closeAllConnections();
    await within(closed, "the server to close");
    await eventually(() => this.limiter.open + this.admitter.pending === 0, "nothing to be left");
  }
}

test("a pending request is announced when it has been admitted, with all of its body", async () => {
  await using slow = new Slow();
  const port = await slow.listen();
  using client = await HttpClient.ask(port, "POST /a", "Content-Length: 5");
  client.write("hello");
  await slow.admitter.waiting(1);
  await aWhile();
  assertEquals(slow.seen, []);
  slow.admitter.questions[0]!.decide();
  assertStrictEquals((await client.answer()).body, "/a hello");
  await eventually(() => slow.limiter.open === 0, "the slot to be free");
});

test("pending requests of one connection are answered in their order, whatever the order of the decisions", async () => {
  await using slow = new Slow();
  const port = await slow.listen();
  using client = await HttpClient.connect(port);
  client.write(["/a", "/b", "/c"].map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(""));
  await slow.admitter.asked(3);
  for (const question of slow.admitter.questions.toReversed()) {
    question.decide();
    await aWhile();
  }
  // Two hold slots until their answers can be sent, so the third is refused.
  assertEquals(slow.seen, ["/c", "/b"]);
  assertStrictEquals((await client.answer()).status, 429);
});

test("a pending upgrade loses no byte", async () => {
  await using slow = new Slow();
  const port = await slow.listen();
  using client = await HttpClient.ask(port, "GET /u", "Connection: Upgrade", "Upgrade: echo");
  await slow.admitter.waiting(1);
  client.write("early");
  await aWhile();
  slow.admitter.questions[0]!.decide();
  assertStrictEquals((await client.head()).status, 101);
  assertStrictEquals(await client.read(5), "early");
  assertStrictEquals(slow.limiter.open, 1);
  client.reset();
  await eventually(() => slow.limiter.open === 0, "the slot to be free");
});

test("nothing is left of pending requests whose clients leave, and a late slot is given back", async () => {
  await using slow = new Slow();
  const port = await slow.listen();
  const clients = await Promise.all(["/a", "/b"].map((path) => HttpClient.ask(port, `GET ${path}`)));
  await slow.admitter.waiting(2);
  for (const client of clients) client.reset();
  await slow.admitter.waiting(0);
  for (const question of slow.admitter.questions) question.decide();
  await eventually(() => slow.limiter.stats().admitted === 2 && slow.limiter.open === 0, "the slots to be given back");
  assertEquals(slow.seen, []);
});

test("too many pending requests are refused, and closing the stage ends the others", async () => {
  await using slow = new Slow(1);
  const port = await slow.listen();
  using first = await HttpClient.ask(port, "GET /a");
  await slow.admitter.waiting(1);
  using second = await HttpClient.ask(port, "GET /b");
  assertStrictEquals((await second.answer()).status, 503);
  slow.stage.close();
  await first.rest();
  assertEquals(slow.seen, []);
});
