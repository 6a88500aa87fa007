/**
 * The deadlines of `limitServer()`: who is closed, and who is not, on every kind of server.
 *
 * @module
 */

import * as http from "node:http";
import * as http2 from "node:http2";
import * as https from "node:https";
import * as net from "node:net";
import { test } from "node:test";
import * as tls from "node:tls";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { limitServer } from "@connlimit/connlimit/node";
import {
  certificate,
  type Client,
  connectFrom,
  ended,
  eventually,
  leavingNoSocket,
  openSockets,
  reply,
  within,
} from "../support/net.ts";
import { isBun, notLinux } from "../support/platform.ts";
import { Limited } from "../support/node/limited_server.ts";
import { ignore, KINDS } from "../support/node/server_kinds.ts";
import {
  dribble,
  flood,
  HIDDEN,
  leftInKernel,
  pass,
  Relayed,
  T,
  Timed,
  upgrade,
  upgrading,
} from "../support/node/timed_server.ts";

const NAMES = Object.keys(KINDS);
const SECURE = NAMES.filter((name) => KINDS[name]!.secure && !HIDDEN.includes(name));
const PLAIN = ["net", "tls"];
const ALL = { firstByteTimeout: T, idleTimeout: T, maxAge: T };

/** Does something for each of several, at once. */
const each = (names: readonly string[], use: (name: string) => Promise<void>) =>
  leavingNoSocket(async () => void await Promise.all(names.map(use)));

test(
  "limitServer() closes clients that say nothing, before and after a handshake",
  each(NAMES.filter((name) => !HIDDEN.includes(name)), async (name) => {
    await using timed = await Timed.listen(name, { firstByteTimeout: T });
    const since = performance.now();
    using _ = await timed.connect();
    await timed.cut("firstByte", since, name);
  }),
);

test(
  "limitServer() closes clients that stop in a handshake, and those that begin none",
  each(SECURE.flatMap((name) => [`${name}, silent`, `${name}, half`]), async (name) => {
    const [kind = "", how] = name.split(", ");
    await using timed = await Timed.listen(kind, { firstByteTimeout: T });
    const since = performance.now();
    using client = await connectFrom("127.0.0.1", timed.port);
    if (how === "half") client.socket.write(timed.kind.half);
    await timed.cut("firstByte", since, name);
    await ended(client);
  }),
);

test(
  "limitServer() leaves clients open that have said something in time",
  each(NAMES, async (name) => {
    await using timed = await Timed.listen(name, { firstByteTimeout: T });
    using client = await timed.connect();
    await pass(T / 3);
    await timed.kind.ask(client, "answer");
    await pass(2 * T);
    timed.kept(client, name);
  }),
);

test(
  "limitServer() closes idle clients, and those that never speak",
  each([...PLAIN, "http2 cleartext", "http2", "net, silent", "tls, silent"], async (name) => {
    const [kind = "", silent] = name.split(", ");
    await using timed = await Timed.listen(kind, { idleTimeout: T });
    const since = performance.now();
    using client = await timed.connect();
    if (!silent) await timed.kind.ask(client, "answer");
    await timed.cut("idle", since, name);
  }),
);

test(
  "limitServer() leaves clients open that dribble, until they are too old",
  each(PLAIN, async (name) => {
    await using timed = await Timed.listen(name, { firstByteTimeout: T, idleTimeout: T, maxAge: 4 * T });
    const since = performance.now();
    using client = await timed.connect();
    dribble(client, T * 0.7);
    await timed.cut("maxAge", since, name, 4 * T);
  }),
);

test(
  "limitServer() leaves clients open that only read",
  each(PLAIN, async (name) => {
    const server = KINDS[name]!.create().on(
      name === "tls" ? "secureConnection" : "connection",
      (socket: net.Socket) => {
        const timer = setInterval(() => socket.write("a"), T * 0.7);
        socket.on("close", () => clearInterval(timer));
      },
    );
    await using timed = await Timed.listen(name, { idleTimeout: T }, server);
    using client = await timed.connect();
    client.socket.resume();
    await pass(4 * T);
    timed.kept(client, name);
  }),
);

/** Servers that write without end, once a client has asked for it. */
const FLOODS: Readonly<Record<string, () => net.Server | http.Server | https.Server>> = {
  "net": () => net.createServer(flood),
  // No listener for errors: the deadline must not bring about one that ends the process.
  "tls": () =>
    tls.createServer(certificate(), (socket) => {
      const write = () => {
        while (socket.writable && socket.write(new Uint8Array(16_384)));
      };
      socket.on("drain", write);
      write();
    }),
  "http": () => upgrading(http.createServer(), flood),
  "https": () => upgrading(https.createServer(certificate()), flood),
};

/** A client that has asked for the flood. */
const comeToFlood = async (timed: Timed, name: string) => {
  const relayed = await Relayed.connect(timed);
  relayed.client.socket.resume();
  if (name.startsWith("http")) await upgrade(relayed.client);
  relayed.stop();
  return relayed;
};

test(
  "limitServer() closes clients that do not read what they are sent, and leaves nothing of them in the kernel",
  each(Object.keys(FLOODS), async (name) => {
    await using timed = await Timed.listen(name, { idleTimeout: T }, FLOODS[name]!());
    const since = performance.now();
    using client = await comeToFlood(timed, name);
    await timed.cut("idle", since, name);
    // After an end, the kernel would offer the client what it has taken for minutes.
    if (!notLinux && !(isBun && name === "https")) assertEquals([name, leftInKernel(timed.port)], [name, 0]);
    await client.closed();
  }),
);

test(
  "limitServer() leaves clients open that read slowly",
  each(Object.keys(FLOODS), async (name) => {
    await using timed = await Timed.listen(name, { idleTimeout: T }, FLOODS[name]!());
    using client = await comeToFlood(timed, name);
    // The kernels' buffers are some megabytes, and tell the server of room only when much of them is free.
    const timer = setInterval(() => client.sip(), 2);
    await pass(4 * T);
    clearInterval(timer);
    assertEquals([name, timed.met, timed.limited.limiter.open], [name, [], 1]);
    assert(client.sip() > 0);
  }),
);

const hanging = (held: http.ServerResponse[]) => (request: http.IncomingMessage, response: http.ServerResponse) => {
  if (request.url === "/hang") held.push(response);
  else response.end("an answer");
};

test(
  "limitServer() cuts no request of HTTP/1, and leaves what comes between them to the server",
  each(["http", "https"], async (name) => {
    const held: http.ServerResponse[] = [];
    const server = name === "http"
      ? http.createServer(hanging(held))
      : https.createServer(certificate(), hanging(held));
    await using timed = await Timed.listen(name, ALL, server);
    using client = await timed.connect();
    await timed.kind.ask(client, "hang");
    await pass(3 * T);
    timed.kept(client, name);
    const answer = reply(client, "");
    held[0]!.end("late");
    assertEquals((await answer).slice(0, 12), "HTTP/1.1 200");
    await pass(2 * T);
    timed.kept(client, name);
  }),
);

test(
  "limitServer() closes upgraded sockets, from the upgrade on",
  each(["http, idle", "https, idle", "http, maxAge", "https, maxAge"], async (name) => {
    const [kind = "", timeout] = name.split(", ");
    const create = kind === "http" ? http.createServer() : https.createServer(certificate());
    const server = upgrading(create, (socket) => socket.resume());
    const options = timeout === "idle" ? { firstByteTimeout: T, idleTimeout: T } : { firstByteTimeout: T, maxAge: T };
    await using timed = await Timed.listen(kind, options, server);
    using client = await timed.connect();
    await pass(T / 2);
    const since = performance.now();
    await upgrade(client);
    if (timeout === "maxAge") dribble(client, T / 5);
    await timed.cut(timeout as "idle" | "maxAge", since, name);
  }),
);

test(
  "limitServer() leaves upgraded sockets open that say nothing, where only the first byte has a deadline",
  each(["http", "https"], async (name) => {
    const create = name === "http" ? http.createServer() : https.createServer(certificate());
    await using timed = await Timed.listen(
      name,
      { firstByteTimeout: T },
      upgrading(create, (socket) => socket.resume()),
    );
    using client = await timed.connect();
    await upgrade(client);
    await pass(2 * T);
    timed.kept(client, name);
  }),
);

test(
  "limitServer() closes tunnels of CONNECT that are idle",
  each(["http"], async (name) => {
    const server = http.createServer().on("connect", (_: unknown, socket: net.Socket) => {
      socket.on("error", ignore).resume();
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
    });
    await using timed = await Timed.listen(name, { idleTimeout: T }, server);
    using client = await timed.connect();
    const since = performance.now();
    await reply(client, "CONNECT example.net:1 HTTP/1.1\r\nHost: example.net:1\r\n\r\n");
    await timed.cut("idle", since, name);
  }),
);

/** A client of HTTP/2 with a request that is in flight until `held` is ended. */
async function ask2(client: Client): Promise<http2.ClientHttp2Stream> {
  const session = http2.connect("http://localhost", { createConnection: () => client.socket });
  session.on("error", ignore);
  const request = session.request({ ":path": "/hang" });
  request.on("error", ignore).resume();
  return await Promise.resolve(request);
}

test(
  "limitServer() cuts no request of HTTP/2, and closes the connection when it has none",
  each(["http2 cleartext, idle", "http2, idle", "http2 cleartext, maxAge", "http2, maxAge"], async (name) => {
    const [kind = "", timeout] = name.split(", ");
    const held: http2.Http2ServerResponse[] = [];
    const answer = (_: unknown, response: http2.Http2ServerResponse) => void held.push(response);
    const server = kind === "http2" ? http2.createSecureServer(certificate(), answer) : http2.createServer(answer);
    server.on("sessionError", ignore).on("tlsClientError", ignore);
    await using timed = await Timed.listen(kind, timeout === "idle" ? { idleTimeout: T } : { maxAge: T }, server);
    const since = performance.now();
    using client = await timed.connect();
    const request = await ask2(client);
    await eventually(() => held.length === 1, "the request to be in flight");
    await pass(2 * T);
    assertEquals([name, timed.limited.limiter.open], [name, 1]);
    const status = new Promise((resolve) => request.on("response", (headers) => resolve(headers[":status"])));
    held[0]!.end("late");
    assertEquals(await within(status, "a response"), 200);
    await timed.cut(timeout as "idle" | "maxAge", since, name);
  }),
);

test(
  "limitServer() closes a thousand silent clients at once, and serves another meanwhile",
  leavingNoSocket(async () => {
    const before = openSockets();
    await using limited = await Limited.listen(KINDS.net!.create(), {
      limits: { maxPerClient: Infinity },
      options: { firstByteTimeout: 2 * T, idleTimeout: 10_000 },
    });
    const clients = await Promise.all(Array.from({ length: 1_000 }, () => connectFrom("127.0.0.1", limited.port)));
    await eventually(() => limited.limiter.stats().admitted === 1_000, "a thousand to be admitted");
    using other = await connectFrom("127.0.0.1", limited.port);
    for (let open = 1; open > 0; open = limited.limiter.open - 1) {
      assertEquals(await reply(other, "hello"), "an answer");
    }
    assertEquals(limited.limiter.stats().timedOut, { firstByte: 1_000, idle: 0, maxAge: 0 });
    for (const client of clients) client[Symbol.dispose]();
    await eventually(() => openSockets() <= before + 4, "the sockets to be closed");
  }),
);

test(
  "limitServer() closes clients at their deadlines after close() and detach(), so that the server closes",
  leavingNoSocket(async () => {
    const server = KINDS.net!.create();
    const { attachment, limiter, port } = await Limited.listen(server, { options: { idleTimeout: T } });
    using client = await connectFrom("127.0.0.1", port);
    await eventually(() => limiter.open === 1, "the client to be admitted");
    const closed = new Promise((resolve) => server.once("close", resolve));
    server.close();
    attachment.detach();
    await within(closed, "the server to be closed");
    await eventually(() => limiter.open === 0, "the slot to be free");
    assertEquals(limiter.stats().timedOut.idle, 1);
    await ended(client);
  }),
);

test(
  "limitServer() reports what onTimeout throws, and closes the client all the same",
  leavingNoSocket(async () => {
    const errors: unknown[] = [];
    await using limited = await Limited.listen(KINDS.net!.create(), {
      options: {
        maxAge: 50,
        onTimeout() {
          throw "thrown";
        },
        onError: (error) => errors.push(error),
      },
    });
    using client = await connectFrom("127.0.0.1", limited.port);
    await ended(client);
    assertEquals(errors, ["thrown"]);
  }),
);

test("limitServer() names a deadline that is none", () => {
  const server = net.createServer();
  assertThrows(
    () => limitServer(server, {}, { idleTimeout: -1 }),
    RangeError,
    "idleTimeout must be milliseconds from 0",
  );
  assertThrows(() => limitServer(server, {}, { maxAge: "1" as never }), TypeError, "maxAge must be a number");
  assertThrows(() => limitServer(server, {}, { firstByteTimeout: NaN }), RangeError, "firstByteTimeout must be");
  assertThrows(() => limitServer(server, {}, { onTimeout: 1 as never }), TypeError, "onTimeout must be a function");
});
