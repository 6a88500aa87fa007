/**
 * What a server of Node hears of a connection that was pending, on every runtime.
 *
 * @module
 */

import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import * as https from "node:https";
import * as net from "node:net";
import { test } from "node:test";
import * as tls from "node:tls";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { WebSocket, WebSocketServer } from "ws";
import { PendingStage } from "../../src/admission/pending_stage.ts";
import { ServerGate } from "../../src/node/server_gate.ts";
import { ServerPort } from "../../src/node/server_port.ts";
import { aWhile, certificate, connectFrom, ended, eventually, within } from "../support/net.ts";
import { SlowAdmitter } from "../support/slow_admitter.ts";

/** A server whose limiter takes its time. */
class Trial implements AsyncDisposable {
  readonly admitter = new SlowAdmitter();
  readonly port: ServerPort;
  readonly #listening: net.Server;
  readonly #cleanup: (() => unknown)[] = [];

  /** @param front Listens in place of the server, and passes sockets on to it. */
  constructor(server: net.Server | http2.Http2Server, front = server as net.Server) {
    this.port = new ServerPort(server, this.admitter, {}, new PendingStage<never>() as never);
    ServerGate.of(server).add(this.port);
    this.#listening = front;
  }

  async listen(): Promise<number> {
    this.#listening.listen(0, "127.0.0.1");
    await once(this.#listening, "listening");
    return (this.#listening.address() as net.AddressInfo).port;
  }

  /** Has the server meet a connection that was pending for a while. */
  async admit(): Promise<void> {
    await this.admitter.asked(1);
    await aWhile();
    assertStrictEquals(this.admitter.pending, 1);
    this.admitter.questions[0]!.decide();
  }

  finally(cleanup: () => unknown): void {
    this.#cleanup.push(cleanup);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const cleanup of this.#cleanup) cleanup();
    await eventually(() => this.admitter.limiter.open === 0 && this.admitter.pending === 0, "everything to be free");
    this.#listening.close();
    await within(once(this.#listening, "close"), "the server to close");
  }
}

const SERVERS = {
  http: { create: () => http.createServer(), request: http.request, ws: "ws" },
  https: { create: () => https.createServer(certificate()), request: https.request, ws: "wss" },
} as const;

for (const [kind, { create, request, ws }] of Object.entries(SERVERS)) {
  const options = { host: "127.0.0.1", rejectUnauthorized: false, agent: false } as const;

  test(`limitServer() with a limiter that takes its time serves a WebSocket (${kind})`, async () => {
    const server = create();
    const sockets = new WebSocketServer({ server });
    sockets.on("connection", (socket) => socket.on("message", (data) => socket.send(`echo ${data}`)));
    await using trial = new Trial(server);
    const client = new WebSocket(`${ws}://127.0.0.1:${await trial.listen()}`, { rejectUnauthorized: false });
    trial.finally(() => client.terminate());
    const opened = once(client, "open");
    await trial.admit();
    await within(opened, "the WebSocket to open");
    const answer = once(client, "message");
    client.send("hello");
    assertEquals(String((await within(answer, "an answer"))[0]), "echo hello");
    assertStrictEquals(trial.admitter.limiter.open, 1);
  });

  test(`limitServer() with a limiter that takes its time serves the method CONNECT (${kind})`, async () => {
    const server = create();
    server.on("connect", (_request, socket) => {
      socket.on("error", () => {}).on("data", (data: unknown) => socket.write(`echo ${data}`)).on(
        "end",
        () => socket.end(),
      );
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
    });
    await using trial = new Trial(server);
    const asking = request({ ...options, port: await trial.listen(), method: "CONNECT", path: "elsewhere:1" });
    const connected = once(asking, "connect");
    asking.end();
    await trial.admit();
    const [, socket] = await within(connected, "the tunnel") as [unknown, net.Socket];
    trial.finally(() => socket.destroy());
    const answer = once(socket, "data");
    socket.write("hello");
    assertEquals(String((await within(answer, "an answer"))[0]), "echo hello");
  });

  test(`limitServer() with a limiter that takes its time tells a client to go on (${kind})`, async () => {
    const server = create();
    let told = 0;
    server.on("checkContinue", (request: http.IncomingMessage, response: http.ServerResponse) => {
      told++;
      response.writeContinue();
      request.resume().on("end", () => response.end("an answer"));
    });
    await using trial = new Trial(server);
    const headers = { expect: "100-continue", "content-length": 5 };
    const asking = request({ ...options, port: await trial.listen(), method: "POST", headers });
    trial.finally(() => asking.destroy());
    const answered = once(asking, "response");
    asking.on("continue", () => asking.end("hello"));
    asking.flushHeaders();
    await trial.admit();
    const [response] = await within(answered, "an answer") as [http.IncomingMessage];
    let text = "";
    for await (const chunk of response) text += chunk;
    assertEquals([text, told], ["an answer", 1]);
  });
}

for (const secure of [false, true]) {
  test(`limitServer() with a limiter that takes its time serves HTTP/2${secure ? " over TLS" : ""}`, async () => {
    const server = secure ? http2.createSecureServer(certificate()) : http2.createServer();
    server.on("stream", (stream: http2.ServerHttp2Stream) => stream.end("an answer"));
    await using trial = new Trial(server);
    const url = `${secure ? "https" : "http"}://127.0.0.1:${await trial.listen()}`;
    const client = http2.connect(url, { rejectUnauthorized: false });
    client.on("error", () => {});
    trial.finally(() => client.destroy());
    const answer = once(client.request({ ":path": "/" }), "data");
    await trial.admit();
    assertEquals(String((await within(answer, "an answer"))[0]), "an answer");
    assertStrictEquals(trial.admitter.limiter.open, 1);
  });
}

const HALF_OPEN = {
  net: () => net.createServer({ allowHalfOpen: true }),
  http: () => http.createServer(),
  http2: () => http2.createServer(),
} as const;

for (const [kind, create] of Object.entries(HALF_OPEN)) {
  test(`limitServer() with a limiter that takes its time drops a client that ends its side and has said nothing (${kind})`, async () => {
    await using trial = new Trial(create());
    const { admitter } = trial;
    const client = await connectFrom("127.0.0.1", await trial.listen());
    await admitter.waiting(1);
    const gone = ended(client);
    client.fin();
    await admitter.waiting(0);
    await gone;
    const admission = admitter.questions[0]!.decide();
    await eventually(() => !admission.admitted || admission.released, "the slot to be released");
    assertStrictEquals(admission.admitted, true);
  });
}

const PASSES: Readonly<Record<string, (socket: net.Socket, data: Uint8Array, pass: () => void) => void>> = {
  "while it flows": (socket, data, pass) => {
    pass();
    socket.unshift(data);
  },
  "paused, and resumed later": (socket, data, pass) => {
    socket.pause();
    socket.unshift(data);
    pass();
    setTimeout(() => socket.resume(), 0);
  },
};

for (const [how, passOn] of Object.entries(PASSES)) {
  test(`limitServer() with a limiter that takes its time loses no byte of a socket that is passed on ${how}`, async () => {
    const server = http.createServer((_request, response) => response.end("an answer"));
    const front = net.createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", (data: Uint8Array) => passOn(socket, data, () => server.emit("connection", socket)));
    });
    await using trial = new Trial(server, front);
    const client = await connectFrom("127.0.0.1", await trial.listen());
    trial.finally(() => client[Symbol.dispose]());
    let text = "";
    client.socket.on("data", (data) => text += data);
    client.socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await trial.admit();
    await eventually(() => text.includes("an answer"), "an answer");
  });
}

test("LimitedServer.detach() leaves pending connections to the limiter that was asked", async () => {
  const server = tls.createServer(certificate());
  await using trial = new Trial(server);
  const { admitter } = trial;
  const port = await trial.listen();
  const clients = [await connectFrom("127.0.0.1", port), await connectFrom("127.0.0.1", port)];
  trial.finally(() => clients[1]![Symbol.dispose]());
  await admitter.waiting(2);
  ServerGate.of(server).remove(trial.port);
  admitter.limiter.setLimits({ maxPerClient: 0 });
  admitter.questions[0]!.decide();
  assertStrictEquals(await ended(clients[0]!), "");
  admitter.limiter.setLimits({ maxPerClient: 1 });
  admitter.questions[1]!.decide();
  await admitter.waiting(0);
  assertStrictEquals(admitter.limiter.open, 1);
  using late = await connectFrom("127.0.0.1", port);
  const socket = tls.connect({ socket: late.socket, rejectUnauthorized: false });
  await within(once(socket, "secureConnect"), "the handshake");
  assertEquals([admitter.questions.length, admitter.limiter.open], [2, 1]);
  socket.destroy();
});
