/**
 * Each stream of an HTTP/2 connection is a request of its own.
 *
 * @module
 */

import { once } from "node:events";
import * as http2 from "node:http2";
import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { certificate, eventually, within } from "../support/net.ts";
import { unending } from "../support/http/responses.ts";
import { Served } from "../support/http/served.ts";

const { NGHTTP2_CANCEL } = http2.constants;

/** A connection to a server whose responses go on until they are cancelled, and which notes when they are. */
async function connect(maxPerClient: number): Promise<[Served, http2.ClientHttp2Session]> {
  const server = new Served(() => unending(), { limits: { maxPerClient }, tls: certificate(), bun: { http2: true } });
  const session = http2.connect(`https://127.0.0.1:${server.port}`, { rejectUnauthorized: false });
  session.on("error", () => {});
  await within(once(session, "connect"), "the session");
  assertStrictEquals(session.alpnProtocol, "h2");
  return [server, session];
}

/** Asks for something. Resolves to the stream and its headers. */
async function get(session: http2.ClientHttp2Session, path = "/") {
  const stream = session.request({ ":path": path }).on("error", () => {});
  const [headers] = await within(once(stream, "response"), "a response");
  stream.resume();
  return { stream, headers: headers as http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader };
}

test("limitRequests() holds a slot for each stream of HTTP/2, and refuses the next without ending the rest", async () => {
  const [server, session] = await connect(2);
  await using _ = server;
  const streams = [await get(session), await get(session)];
  assertEquals(streams.map(({ headers }) => headers[":status"]), [200, 200]);
  assertStrictEquals(server.limiter.open, 2);
  for (let i = 0; i < 3; i++) {
    const { headers, stream } = await get(session);
    assertEquals([headers[":status"], headers["retry-after"], headers.connection], [429, "1", undefined]);
    if (!stream.closed) await within(once(stream, "close"), "the stream to close");
  }
  // One of them leaves and makes room for another.
  streams[0]!.stream.close(NGHTTP2_CANCEL);
  await eventually(async () => {
    const { headers, stream } = await get(session, "/free");
    stream.close();
    return headers[":status"] === 200;
  }, "a slot to be free");
  assertEquals([(await get(session)).headers[":status"], server.limiter.open, session.destroyed], [200, 2, false]);
  session.destroy();
  await server.empty();
});

test("limitRequests() frees the slots of streams that are cancelled at once, all of them", async () => {
  const [server, session] = await connect(Infinity);
  await using _ = server;
  for (let i = 0; i < 20; i++) {
    const streams = Array.from({ length: 10 }, () => session.request({ ":path": "/" }).on("error", () => {}));
    await new Promise((resolve) => setTimeout(resolve, i % 3));
    for (const stream of streams) stream.close(NGHTTP2_CANCEL);
    // Deno ends a session with more cancelled streams than it can take at once.
    (await get(session, "/free")).stream.close();
  }
  await server.empty();
  assertStrictEquals((await get(session, "/free")).headers[":status"], 200);
  session.destroy();
});
