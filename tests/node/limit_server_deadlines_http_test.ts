/**
 * The deadlines of `limitServer()` on servers of HTTP: who is closed, and which requests are not cut.
 *
 * @module
 */

import * as http from "node:http";
import * as http2 from "node:http2";
import * as https from "node:https";
import type * as net from "node:net";
import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { dribble, pass } from "../support/deadline_trial.ts";
import {
  certificate,
  type Client,
  connectFrom,
  ended,
  eventually,
  leavingNoSocket,
  reply,
  within,
} from "../support/net.ts";
import { connectTo, ignore, KINDS } from "../support/node/server_kinds.ts";
import {
  comeToFlood,
  flood,
  HIDDEN,
  leftInKernel,
  T,
  Timed,
  upgrade,
  upgrading,
} from "../support/node/timed_server.ts";
import { isBun, notLinux } from "../support/platform.ts";

const WEB = ["http", "https"];
const HTTP = [...WEB, "http2 cleartext", "http2"];
const SECURE = ["https", "http2"].filter((name) => !HIDDEN.includes(name));
const ALL = { firstByteTimeout: T, idleTimeout: T, maxAge: T };

/** Server by name. */
const plainOr = (name: string, ...answer: http.RequestListener[]) =>
  name === "http" ? http.createServer(...answer) : https.createServer(certificate(), ...answer);
const resuming = (name: string) => upgrading(plainOr(name), (socket) => socket.resume());

type Case = (name: string) => Promise<void>;
type Rules = Readonly<Record<string, readonly [names: readonly string[], keeps: Case]>>;

/** Keeps rules on the kinds of servers that they are for, all at once. */
function keepingOn(rules: Rules): () => Promise<void> {
  return leavingNoSocket(async () => {
    const broken: string[] = [];
    await Promise.all(
      Object.entries(rules).flatMap(([rule, [names, keeps]]) =>
        names.map((name) => keeps(name).catch((error: Error) => broken.push(`${rule} (${name}): ${error.stack}`)))
      ),
    );
    assertEquals(broken, []);
  });
}

const CLOSED: Rules = {
  "one that says nothing": [HTTP.filter((name) => !HIDDEN.includes(name)), async (name) => {
    await using timed = await Timed.listen(name, { firstByteTimeout: T });
    const since = performance.now();
    using _ = await timed.connect();
    await timed.cut("firstByte", since, name);
  }],

  "one that stops in a handshake": [SECURE, async (name) => {
    await using timed = await Timed.listen(name, { firstByteTimeout: T });
    const since = performance.now();
    using client = await connectFrom("127.0.0.1", timed.port);
    client.socket.write(timed.kind.half);
    await timed.cut("firstByte", since, name);
    await ended(client);
  }],

  "one that begins none": [SECURE, async (name) => {
    await using timed = await Timed.listen(name, { idleTimeout: T });
    const since = performance.now();
    using client = await connectFrom("127.0.0.1", timed.port);
    await timed.cut("idle", since, name);
    await ended(client);
  }],

  "one of HTTP/2 that is idle": [HTTP.slice(2), async (name) => {
    await using timed = await Timed.listen(name, { idleTimeout: T });
    using client = await timed.connect();
    const since = performance.now();
    await timed.kind.ask(client, "answer");
    await timed.cut("idle", since, name);
  }],

  "one that has upgraded and is idle, from the upgrade on": [WEB, async (name) => {
    await using timed = await Timed.listen(name, { firstByteTimeout: T, idleTimeout: T }, resuming(name));
    using client = await timed.connect();
    await pass(T / 2);
    const since = performance.now();
    await upgrade(client);
    await timed.cut("idle", since, name);
  }],

  "one that has upgraded and is too old, from the upgrade on": [WEB, async (name) => {
    await using timed = await Timed.listen(name, { firstByteTimeout: T, maxAge: T }, resuming(name));
    using client = await timed.connect();
    await pass(T / 2);
    const since = performance.now();
    await upgrade(client);
    dribble(client, T / 5);
    await timed.cut("maxAge", since, name);
  }],

  "one that has a tunnel and is idle": [["http"], async (name) => {
    const server = http.createServer().on("connect", (_: unknown, socket: net.Socket) => {
      socket.on("error", ignore).resume();
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
    });
    await using timed = await Timed.listen(name, { idleTimeout: T }, server);
    using client = await timed.connect();
    const since = performance.now();
    await reply(client, "CONNECT example.net:1 HTTP/1.1\r\nHost: example.net:1\r\n\r\n");
    await timed.cut("idle", since, name);
  }],

  "one that has upgraded and does not read": [WEB, async (name) => {
    await using timed = await Timed.listen(name, { idleTimeout: T }, upgrading(plainOr(name), flood));
    const since = performance.now();
    using client = await comeToFlood(timed);
    await timed.cut("idle", since, name);
    // After an end, the kernel would offer the client what it has taken for minutes.
    if (!notLinux && !(isBun && name === "https")) assertEquals([name, leftInKernel(timed.port)], [name, 0]);
    await eventually(() => client.closed, "the connection to be closed");
  }],
};

const hanging = (held: http.ServerResponse[]): http.RequestListener => (request, response) => {
  if (request.url === "/hang") held.push(response);
  else response.end("an answer");
};

/** Has a client of HTTP/2 ask for what is in flight until the server ends it. */
function hang({ socket }: Client): http2.ClientHttp2Stream {
  const session = http2.connect("http://localhost", { createConnection: () => socket });
  session.on("error", ignore);
  const request = session.request({ ":path": "/hang" });
  return request.on("error", ignore).resume();
}

const notCut = (timeout: "idle" | "maxAge"): Case => async (name) => {
  const held: http2.Http2ServerResponse[] = [];
  const answer = (_: unknown, response: http2.Http2ServerResponse) => void held.push(response);
  const server = name === "http2" ? http2.createSecureServer(certificate(), answer) : http2.createServer(answer);
  server.on("sessionError", ignore).on("tlsClientError", ignore);
  await using timed = await Timed.listen(name, timeout === "idle" ? { idleTimeout: T } : { maxAge: T }, server);
  const since = performance.now();
  using client = await timed.connect();
  const request = hang(client);
  await eventually(() => held.length === 1, "the request to be in flight");
  await pass(2 * T);
  assertEquals(timed.limited.limiter.open, 1);
  const status = new Promise((resolve) => request.on("response", (headers) => resolve(headers[":status"])));
  held[0]!.end("late");
  assertEquals(await within(status, "a response"), 200);
  await timed.cut(timeout, since, name);
};

const LEFT: Rules = {
  "one of HTTP/1, and leaves what comes between them to the server": [WEB, async (name) => {
    const held: http.ServerResponse[] = [];
    await using timed = await Timed.listen(name, ALL, plainOr(name, hanging(held)));
    using client = await timed.connect();
    await timed.kind.ask(client, "hang");
    await pass(3 * T);
    timed.kept(client, name);
    const answer = reply(client, "");
    held[0]!.end("late");
    assertEquals((await answer).slice(0, 12), "HTTP/1.1 200");
    await pass(2 * T);
    timed.kept(client, name);
  }],

  "one of HTTP/1 on a server of HTTP/2": [["http2"], async (name) => {
    const held: http.ServerResponse[] = [];
    const options = { ...certificate(), allowHTTP1: true };
    const server = http2.createSecureServer(options, hanging(held) as never).on("tlsClientError", ignore);
    await using timed = await Timed.listen(name, ALL, server);
    using client = await connectTo(KINDS.https!, timed.port);
    client.socket.write("GET /hang HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await eventually(() => held.length === 1, "the request to be in flight");
    await pass(3 * T);
    timed.kept(client, name);
  }],

  "one of HTTP/2 by idleTimeout": [HTTP.slice(2), notCut("idle")],
  "one of HTTP/2 by maxAge": [HTTP.slice(2), notCut("maxAge")],

  "an upgraded one that says nothing, where only the first byte has a deadline": [WEB, async (name) => {
    await using timed = await Timed.listen(name, { firstByteTimeout: T }, resuming(name));
    using client = await timed.connect();
    await upgrade(client);
    await pass(2 * T);
    timed.kept(client, name);
  }],

  "an upgraded one that reads slowly": [WEB, async (name) => {
    await using timed = await Timed.listen(name, { idleTimeout: 2 * T }, upgrading(plainOr(name), flood));
    using client = await comeToFlood(timed);
    const timer = setInterval(() => client.sip(), 2);
    await pass(4 * T);
    clearInterval(timer);
    assertEquals([timed.met, timed.limited.limiter.open], [[], 1]);
    assert(client.sip() > 0);
  }],
};

// At once, since they wait.
test("limitServer() closes clients of HTTP at deadlines, and cuts no request", keepingOn({ ...CLOSED, ...LEFT }));
