/**
 * An HTTP/2 connection holds one slot, however many streams it carries.
 *
 * @module
 */

import { once } from "node:events";
import * as http2 from "node:http2";
import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { aWhile, certificate, type Client, connectFrom, ended, eventually, within } from "../support/net.ts";
import { Limited } from "../support/node/limited_server.ts";
import { connectTo, ignore, KINDS, shakeHands } from "../support/node/server_kinds.ts";

/** The session of a client. */
function sessionOf({ socket }: Client): http2.ClientHttp2Session {
  return http2.connect("http://localhost", { createConnection: () => socket }).on("error", ignore);
}

/** Makes requests at once. Resolves to how many were answered. */
async function answers(session: http2.ClientHttp2Session, path: string, requests: number): Promise<number> {
  const streams = Array.from({ length: requests }, async () => {
    const stream = session.request({ ":path": path }).on("error", ignore);
    let text = "";
    stream.on("data", (chunk) => text += chunk);
    await new Promise((resolve) => stream.on("close", resolve));
    return text === "an answer";
  });
  return (await within(Promise.all(streams), "all streams to close")).filter(Boolean).length;
}

for (const name of ["http2", "http2 cleartext"]) {
  const kind = KINDS[name]!;

  test(`limitServer() counts one slot for the 100 streams of one connection of ${name}`, async () => {
    await using limited = await Limited.listen(kind.create(), { limits: { maxPerClient: 1 } });
    const { limiter } = limited;
    using client = await connectTo(kind, limited.port);
    const session = sessionOf(client);
    for (let i = 0; i < 2; i++) {
      assertStrictEquals(await answers(session, "/", 50), 50);
      assertEquals([limiter.open, limiter.stats().admitted], [1, 1]);
    }
    using refused = await connectFrom("127.0.0.1", limited.port);
    assertStrictEquals(await ended(refused), "");
    session.close();
    await limited.freed();
    using another = await connectTo(kind, limited.port);
    assertStrictEquals(await answers(sessionOf(another), "/", 1), 1);
  });

  test(`limitServer() holds the slot of a connection of ${name} while one of its streams is open`, async () => {
    let hanging = 0;
    await using limited = await Limited.listen(kind.create(() => hanging++));
    using client = await connectTo(kind, limited.port);
    const session = sessionOf(client);
    const open = answers(session, "/hang", 3);
    await eventually(() => hanging === 3, "the streams to be open");
    // It is to close once its streams are.
    session.close();
    await aWhile();
    assertStrictEquals(limited.limiter.open, 1);
    session.destroy();
    await limited.freed();
    assertStrictEquals(await open, 0);
  });

  test(`limitServer() frees the slot where a server of ${name} destroys the session`, async () => {
    await using limited = await Limited.listen(kind.create());
    const begun = once(limited.server, "session");
    using client = await connectTo(kind, limited.port);
    const open = answers(sessionOf(client), "/hang", 3);
    const [session] = await within(begun, "the session") as [http2.ServerHttp2Session];
    assertStrictEquals(limited.limiter.open, 1);
    session.destroy();
    await limited.freed();
    assertStrictEquals(await open, 0);
  });
}

test("limitServer() counts clients of HTTP/1.1 at a server of HTTP/2, before the handshake", async () => {
  const server = http2.createSecureServer({ ...certificate(), allowHTTP1: true }, (_request, response) => {
    response.end("an answer");
  });
  server.on("tlsClientError", ignore);
  await using limited = await Limited.listen(server, { limits: { maxPerClient: 1 } });
  using silent = await connectFrom("127.0.0.1", limited.port);
  await limited.answered(1, 0);
  using refused = await connectFrom("127.0.0.1", limited.port);
  assertStrictEquals(await ended(refused), "");
  using client = await shakeHands(silent, ["http/1.1"]);
  await KINDS.https!.ask(client, "answer");
  await KINDS.https!.ask(client, "answer");
  assertEquals([limited.limiter.open, limited.limiter.stats().admitted], [1, 1]);
  client.fin();
  await limited.freed();
});
