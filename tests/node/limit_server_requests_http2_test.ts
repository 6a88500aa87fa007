/**
 * Each stream of HTTP/2 is a request, by both APIs.
 *
 * @module
 */

import { once } from "node:events";
import * as http2 from "node:http2";
import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { HttpClient } from "../../testing/http_client.ts";
import { certificate, type Client, connectFrom, eventually, within } from "../support/net.ts";
import { client, LimitedRequests } from "../support/node/limited_requests.ts";
import { ignore, shakeHands } from "../support/node/server_kinds.ts";

type Headers = Readonly<Record<string, string>>;

/** A client's session, and its connection. */
type Session = http2.ClientHttp2Session & Disposable & { readonly raw: Client };

async function connect(port: number): Promise<Session> {
  const raw = await connectFrom("127.0.0.1", port);
  const session = http2.connect("http://localhost", { createConnection: () => raw.socket });
  session.on("error", ignore);
  return Object.assign(session, { raw, [Symbol.dispose]: () => session.destroy() });
}

/** Sends a request. Resolves to its status and its body when the stream has closed. */
async function ask(session: http2.ClientHttp2Session, headers: Headers, body?: string): Promise<[number, string]> {
  const stream = session.request(headers, { endStream: body === undefined });
  stream.on("error", ignore);
  let status = 0;
  let text = "";
  stream.on("response", (head) => status = Number(head[":status"]));
  stream.on("data", (data) => text += data);
  if (body !== undefined) stream.end(body);
  await within(once(stream, "close"), "the stream to close");
  return [status, text];
}

const from = (address: string, path = "/"): Headers => ({ ":path": path, "x-forwarded-for": address });

/** Servers that answer at once but for the path `/wait`, whose streams they leave open. */
const SERVERS: Readonly<Record<string, (waiting: http2.ServerHttp2Stream[]) => http2.Http2Server>> = {
  "the compatibility API": (waiting) =>
    http2.createServer((request, response) => {
      if (request.url === "/wait") waiting.push(response.stream);
      else response.end("an answer");
    }),
  "the stream API": (waiting) =>
    http2.createServer().on("stream", (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => {
      stream.on("error", ignore);
      if (headers[":path"] === "/wait") return void waiting.push(stream);
      stream.respond({ ":status": 200 });
      stream.end("an answer");
    }),
};

for (const [api, create] of Object.entries(SERVERS)) {
  test(`limitServerRequests() counts each stream of a session for its own client, by ${api}`, async () => {
    const waiting: http2.ServerHttp2Stream[] = [];
    const refused: unknown[] = [];
    await using limited = await LimitedRequests.listen(create(waiting), { maxPerClient: 2 }, {
      client,
      onRefused: (_, { method, url, headers, socket }, client) =>
        refused.push([method, url, headers["x-forwarded-for"], socket.remoteAddress, client]),
    });
    using session = await connect(limited.port);
    const one = [1, 2].map(() => ask(session, from("203.0.113.1", "/wait")));
    await limited.holds(2);
    assertEquals(await ask(session, from("203.0.113.1")), [429, "Too Many Requests\n"]);
    assertEquals(await ask(session, { ...from("203.0.113.1"), ":method": "HEAD" }), [429, ""]);
    assertEquals(await ask(session, { ...from("203.0.113.1"), ":method": "POST" }, "a body"), [
      429,
      "Too Many Requests\n",
    ]);
    assertEquals(await ask(session, from("203.0.113.2")), [200, "an answer"]);
    assertEquals(
      refused,
      ["GET", "HEAD", "POST"].map((method) => [method, "/", "203.0.113.1", "127.0.0.1", "203.0.113.1"]),
    );
    for (const stream of waiting) {
      stream.respond({ ":status": 200 });
      stream.end("done");
    }
    assertEquals(await Promise.all(one), [[200, "done"], [200, "done"]]);
    await limited.holds(0);
    await limited.answered(3, 3);
  });

  test(`limitServerRequests() releases the slot of a stream however it ends, by ${api}`, async () => {
    const waiting: http2.ServerHttp2Stream[] = [];
    await using limited = await LimitedRequests.listen(create(waiting), { maxPerClient: 3 });
    const ends: Readonly<
      Record<string, (session: Session, streams: http2.ClientHttp2Stream[]) => void>
    > = {
      "the client cancels": (_, streams) => streams.forEach((stream) => stream.close(http2.constants.NGHTTP2_CANCEL)),
      "the client destroys the session": (session) => session.destroy(),
      "the client resets the connection": ({ raw }) => raw.reset(),
      "the client closes the connection": ({ raw }) => raw[Symbol.dispose](),
      "the server closes the streams": () => waiting.forEach((stream) => stream.close()),
      "the server destroys the streams": () => waiting.forEach((stream) => stream.destroy()),
      "the server destroys the session": () => waiting[0]!.session!.destroy(),
    };
    for (const [name, end] of Object.entries(ends)) {
      waiting.length = 0;
      using session = await connect(limited.port);
      const streams = [1, 2, 3].map(() => session.request({ ":path": "/wait" }).on("error", ignore));
      await limited.holds(3);
      end(session, streams);
      await eventually(() => limited.limiter.open === 0, `the slots to be free when ${name}`);
    }
    assertStrictEquals(limited.limiter.stats().refused, 0);
  });
}

test("limitServerRequests() releases the slot of a HEAD that is answered with a body", async () => {
  const server = http2.createServer((_request, response) => void response.end("a body"));
  await using limited = await LimitedRequests.listen(server, { maxPerClient: 1 });
  using session = await connect(limited.port);
  for (let request = 0; request < 3; request++) {
    assertEquals(await ask(session, { ":path": "/", ":method": "HEAD" }), [200, ""]);
    await limited.holds(0);
  }
});

test("limitServerRequests() counts the requests of both protocols of a server of http2", async () => {
  const server = http2.createSecureServer({ ...certificate(), allowHTTP1: true }, (request, response) => {
    if (request.url !== "/wait") (response as http2.Http2ServerResponse).end("an answer");
  });
  server.on("tlsClientError", ignore);
  await using limited = await LimitedRequests.listen(server, { maxPerClient: 2 });
  const secure = async (protocol: string) => await shakeHands(await connectFrom("127.0.0.1", limited.port), [protocol]);
  using old = new HttpClient(await secure("http/1.1"));
  old.send("GET /wait");
  await limited.holds(1);
  using socket = await secure("h2");
  const session = http2.connect("https://localhost", { createConnection: () => socket.socket });
  session.on("error", ignore);
  session.request({ ":path": "/wait" }).on("error", ignore);
  await limited.holds(2);
  assertEquals(await ask(session, { ":path": "/" }), [429, "Too Many Requests\n"]);
  using third = new HttpClient(await secure("http/1.1"));
  third.send("GET /");
  assertStrictEquals((await third.answer()).status, 429);
  session.destroy();
  old.reset();
  await limited.holds(0);
  assert(limited.limiter.stats().refused === 2);
});
