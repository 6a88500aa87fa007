/**
 * Which of Node's timeouts end a client that holds a slot and says nothing, as docs/runtimes.md has it.
 *
 * @module
 */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import * as http from "node:http";
import * as http2 from "node:http2";
import * as https from "node:https";
import * as net from "node:net";
import { test } from "node:test";
import * as tls from "node:tls";
import { assert, assertEquals } from "@std/assert";
import { aWhile, certificate, type Client, connectFrom, eventually, reply } from "../support/net.ts";
import { Limited } from "../support/node/limited_server.ts";
import { ignore, KINDS, type Server, shakeHands } from "../support/node/server_kinds.ts";
import { isBun } from "../support/platform.ts";

const MS = 100;
const CHECKED = { connectionsCheckingInterval: 20 };
const HTTP1 = { ...certificate(), allowHTTP1: true };
const HALF_HELLO = KINDS.tls!.half;

type Answer = (request: http.IncomingMessage, response: http.ServerResponse) => void;

/** Answers, unless it is asked to wait, or to send what the client does not read. */
const answer: Answer = (request, response) => {
  if (request.url === "/wait") return;
  if (request.url !== "/flood") return void response.end("an answer");
  const flood = () => {
    while (response.write("x".repeat(65_536)));
    response.once("drain", flood);
  };
  flood();
};
const upgrade = (_: unknown, socket: net.Socket) => {
  socket.on("error", ignore);
  socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n");
};

/** What the documentation says to do where an option is not enough: lines of code about `server` or `socket`. */
const runtimes = readFileSync(new URL("../../docs/runtimes.md", import.meta.url), "utf8");
function printed(start: string): (it: unknown) => void {
  const code = runtimes.match(/`[^`\n]+`/g)!.map((code) => code.slice(1, -1)).find((code) => code.startsWith(start));
  assert(code !== undefined, `docs/runtimes.md should print code that starts with ${start}`);
  return new Function(
    code.startsWith("server") ? "server" : "socket",
    code.replace("10_000", `${MS}`),
  ) as typeof ignore;
}
const endHandshakes = printed('server.on("tlsClientError"');
const endIdle = printed("socket.setTimeout(1");

function adapt<S>(server: S, ...changes: ((server: S) => unknown)[]): S {
  for (const change of changes) change(server);
  return server;
}

const timesOut = (server: http.Server | http2.Http2SecureServer | http2.Http2Server) => server.setTimeout(MS);
const onSocket = (event: "connection" | "secureConnection") => (server: Server) =>
  server.on(event, (socket: net.Socket) => endIdle(socket.on("error", ignore)));

/** Clients that are silent at some point. */
const connect = (port: number) => connectFrom("127.0.0.1", port);
async function say(port: number, what: string | Uint8Array): Promise<Client> {
  const client = await connect(port);
  client.socket.write(what);
  return client;
}
const get = (path: string, ...fields: string[]) =>
  [`GET ${path} HTTP/1.1`, "Host: localhost", ...fields, "", ""].join("\r\n");
/** Goes on with a byte at a time. */
async function trickle(port: number, begin: string): Promise<Client> {
  const client = await say(port, begin);
  const timer = setInterval(() => client.socket.write("a"), 10);
  client.socket.on("close", () => clearInterval(timer));
  return client;
}
const secure = async (port: number, protocols: string[] = ["http/1.1"]) =>
  await shakeHands(await connect(port), protocols);
async function kept(client: Client): Promise<Client> {
  assert((await reply(client, get("/"))).startsWith("HTTP/1.1 200 "));
  return client;
}
async function upgraded(port: number): Promise<Client> {
  const client = await connect(port);
  assert((await reply(client, get("/", "Connection: Upgrade", "Upgrade: any"))).startsWith("HTTP/1.1 101 "));
  return client;
}
const HALF_BODY = get("/", "Content-Length: 1000").replace("GET", "POST");

/** By what the documentation says: a server, and a client that it ends. */
const ENDED: Readonly<Record<string, readonly [() => Server, (port: number) => Promise<Client>]>> = {
  "net, socket.setTimeout()": [() => adapt(net.createServer(ignore), onSocket("connection")), connect],
  "tls, socket.setTimeout()": [() => adapt(tls.createServer(certificate()), onSocket("secureConnection")), secure],
  "tls, a silent client, handshakeTimeout": [
    () => adapt(tls.createServer({ ...certificate(), handshakeTimeout: MS }), endHandshakes),
    connect,
  ],
  "tls, half a handshake, handshakeTimeout": [
    () => adapt(tls.createServer({ ...certificate(), handshakeTimeout: MS }), endHandshakes),
    (port) => say(port, HALF_HELLO),
  ],
  "http2, half a handshake, handshakeTimeout": [
    () => http2.createSecureServer({ ...certificate(), handshakeTimeout: MS }),
    (port) => say(port, HALF_HELLO),
  ],
  ...!isBun && {
    "http2, idle, setTimeout()": [
      () => adapt(http2.createSecureServer(certificate()), timesOut),
      (port) => secure(port, ["h2"]),
    ],
    "http2 cleartext, a silent client, setTimeout()": [() => adapt(http2.createServer(), timesOut), connect],
    "https, a silent client, handshakeTimeout": [
      () => https.createServer({ ...certificate(), handshakeTimeout: MS }),
      connect,
    ],
    "https, half a handshake, handshakeTimeout": [
      () => https.createServer({ ...certificate(), handshakeTimeout: MS }),
      (port) => say(port, HALF_HELLO),
    ],
    "http2, a client of HTTP/1.1, setTimeout()": [
      () => adapt(http2.createSecureServer(HTTP1), timesOut),
      secure,
    ],
  },
  "http2, a client of HTTP/1.1, socket.setTimeout()": [
    () => adapt(http2.createSecureServer(HTTP1), onSocket("secureConnection")),
    secure,
  ],
  "http, a silent client, headersTimeout": [() => http.createServer({ ...CHECKED, headersTimeout: MS }), connect],
  "http, a head byte by byte, headersTimeout": [
    () => http.createServer({ ...CHECKED, headersTimeout: MS }),
    (port) => trickle(port, "GET / HTTP/1.1\r\nX: "),
  ],
  "https, half a head, headersTimeout": [
    () => https.createServer({ ...certificate(), ...CHECKED, headersTimeout: MS }),
    async (port) => {
      const client = await secure(port);
      client.socket.write("GET / HT");
      return client;
    },
  ],
  "http, a body byte by byte, requestTimeout": [
    () => http.createServer({ ...CHECKED, headersTimeout: MS, requestTimeout: MS }, (request) => request.resume()),
    (port) => trickle(port, HALF_BODY),
  ],
  "http, between requests, keepAliveTimeout": [
    () => http.createServer({ keepAliveTimeout: MS }, answer),
    async (port) => await kept(await connect(port)),
  ],
  "https, between requests, keepAliveTimeout": [
    () => https.createServer({ ...certificate(), keepAliveTimeout: MS }, answer),
    async (port) => await kept(await secure(port)),
  ],
  "http, waiting for a response, setTimeout()": [
    () => adapt(http.createServer(answer), timesOut),
    (port) => say(port, get("/wait")),
  ],
  "http, not reading a response, setTimeout()": [
    () => adapt(http.createServer(answer), timesOut),
    async (port) => {
      const client = await say(port, get("/flood"));
      client.socket.pause();
      return client;
    },
  ],
  "http, upgraded, socket.setTimeout()": [
    () =>
      adapt(
        http.createServer(),
        (server) => server.on("upgrade", (_, socket) => endIdle(socket.on("error", ignore))).on("upgrade", upgrade),
      ),
    upgraded,
  ],
};

/** What they do not end: a server, its client, and another client that the same timeouts end. */
const HELD: typeof ENDED = {
  "https, half a handshake, all others": [
    () => adapt(https.createServer({ ...certificate(), ...CHECKED, headersTimeout: MS, requestTimeout: MS }), timesOut),
    (port) => say(port, HALF_HELLO),
  ],
  "http, upgraded, all others": [
    () =>
      adapt(http.createServer({ ...CHECKED, headersTimeout: MS, requestTimeout: MS }), timesOut).on("upgrade", upgrade),
    upgraded,
  ],
  ...isBun && {
    "http2, idle, setTimeout()": [
      () => adapt(http2.createSecureServer(certificate()), timesOut),
      (port) => secure(port, ["h2"]),
    ],
    "http2, a client of HTTP/1.1, setTimeout()": [() => adapt(http2.createSecureServer(HTTP1), timesOut), secure],
  },
};

/** Makes a limited server of each, with a client that has been admitted. */
async function each(
  cases: typeof ENDED,
  use: (limited: Limited, client: Client, name: string) => Promise<void>,
): Promise<void> {
  await Promise.all(
    Object.entries(cases).map(async ([name, [create, come]]) => {
      await using limited = await Limited.listen(create().on("sessionError", ignore));
      // It reads nothing, and does not close its side.
      using client = await come(limited.port);
      await use(limited, client, name);
    }),
  );
}

test("Node's timeouts end clients that are silent, and free their slots", () =>
  each(ENDED, async ({ limiter }, _, name) => {
    await eventually(() => limiter.stats().admitted === 1, `${name}: the client to be admitted`);
    await eventually(() => limiter.open === 0, `${name}: the slot to be free`);
  }));

test("Node's timeouts leave clients in a handshake and upgraded ones alone", async () => {
  // As long as the timeouts take.
  const other = async () => {
    await using limited = await Limited.listen(adapt(net.createServer(ignore), onSocket("connection")));
    using _ = await connect(limited.port);
    await eventually(() => limited.limiter.stats().admitted === 1 && limited.limiter.open === 0, "another to be ended");
  };
  await each(HELD, async ({ limiter }, client, name) => {
    await other();
    await other();
    // Bun does not count a client of https before the end of its handshake.
    const counted = !isBun || !name.startsWith("https");
    assertEquals([name, limiter.open, client.socket.closed], [name, counted ? 1 : 0, false]);
  });
});

test("Node's handshakeTimeout ends nobody where a listener takes its event and does nothing", () =>
  each({
    "tlsClientError": [() => tls.createServer({ ...certificate(), handshakeTimeout: MS }), connect],
    ...!isBun && { "clientError": [() => https.createServer({ ...certificate(), handshakeTimeout: MS }), connect] },
  }, async ({ server, limiter }, client, event) => {
    await once(server, event);
    await aWhile();
    assertEquals([event, limiter.open, client.socket.closed], [event, 1, false]);
  }));
