/**
 * What `limitRequests()` cannot reach on each runtime, as docs/runtimes.md has it. A test that fails here may be good news.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { limitRequests, upgradeWebSocket } from "@connlimit/connlimit/http";
import { CLOSE, HEADERS, open, serveSockets } from "../support/http/serve_sockets.ts";
import { Served } from "../support/http/served.ts";
import type { HttpClient } from "../../testing/http_client.ts";
import { aWhile, connectFrom, ended, eventually, openSockets, reply } from "../support/net.ts";
import { hiddenSockets, isBun, isDeno } from "../support/platform.ts";

const GET = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

// deno-lint-ignore no-explicit-any
type Serve = { serve(options: any, handler?: any): any };
const { Bun, Deno } = globalThis as unknown as { readonly Bun: Serve; readonly Deno: Serve };

/** Serves with a handler that refuses everyone. */
async function withServer(use: (port: number) => Promise<void>, options: object = {}) {
  const handler = limitRequests({ maxPerClient: 0 }, () => new Response("never"));
  const where = { hostname: "127.0.0.1", port: 0, onListen() {}, ...options };
  const server = isBun ? Bun.serve({ ...where, fetch: handler }) : Deno.serve(where, handler);
  try {
    await use(isBun ? server.port : server.addr.port);
  } finally {
    await (isBun ? server.stop(true) : server.shutdown());
  }
}

test("limitRequests() asks for the connection of a refused request to be closed, which Deno does not do", () =>
  withServer(async (port) => {
    using client = await connectFrom("127.0.0.1", port);
    const answer = await reply(client, GET);
    assert(answer.startsWith("HTTP/1.1 429 ") && /^connection: close\r$/im.test(answer), answer);
    if (!isDeno) return void await ended(client);
    await aWhile();
    assertStrictEquals(client.socket.closed, false);
  }));

test("limitRequests() does not see the static routes of Bun.serve", { skip: !isBun }, () =>
  withServer(async (port) => {
    using client = await connectFrom("127.0.0.1", port);
    assert((await reply(client, GET)).startsWith("HTTP/1.1 200 "));
  }, { routes: { "/": new Response("static") } }));

test(
  "a WebSocket of Deno.serve keeps its slot while its client does not answer close()",
  { skip: !isDeno },
  async () => {
    const sockets: WebSocket[] = [];
    await using server = new Served((request) => {
      const { socket, response } = upgradeWebSocket(request, { idleTimeout: 1 });
      socket.onopen = () => sockets.push(socket);
      socket.onerror = () => {};
      return response;
    }, { limits: { maxPerClient: 2 } });
    const clients: HttpClient[] = [];
    for (let i = 1; i <= 2; i++) {
      const client = await server.ask("GET /", undefined, ...HEADERS);
      assertStrictEquals((await client.head()).status, 101);
      await eventually(() => sockets.length === i, "the WebSocket to open");
      clients.push(client);
    }
    sockets[0]!.close();
    // Neither client answers any more. The idle timeout ends only the one that is open.
    await eventually(() => clients[1]!.ended, "the idle timeout");
    await server.held(1);
    assertEquals([sockets[0]!.readyState, clients[0]!.ended], [WebSocket.CLOSING, false]);
    clients[0]!.write(CLOSE);
    await server.held(0);
  },
);

/** Bodies that are longer than what the kernel holds for a client that does not read. */
const LONG = new Uint8Array(20_000_000);

/** Bodies, and whether they hold their slots on Deno while their clients do not read. On Bun all of them do. */
const BODIES: Readonly<Record<string, [body: () => BodyInit, held: boolean]>> = {
  "bytes": [() => LONG, false],
  "text": [() => "x".repeat(LONG.length), false],
  "a Blob": [() => new Blob([LONG]), true],
  "the stream of a Blob": [() => new Blob([LONG]).stream(), true],
  "a stream of one chunk": [() => ReadableStream.from([LONG]), true],
};

for (const [name, [body, heldOnDeno]] of Object.entries(BODIES)) {
  const held = isBun || heldOnDeno;
  test(`limitRequests() ${held ? "holds" : "does not hold"} the slot of ${name} that the client does not read`, async () => {
    const headers = { "content-length": `${LONG.length}` };
    await using server = new Served(() => new Response(body(), { headers }), { limits: { maxPerClient: 2 } });
    for (let i = 0; i < 4; i++) {
      using client = await server.ask("GET /");
      assertStrictEquals((await client.head()).status, 200);
      client.socket.pause();
      await aWhile();
      assertStrictEquals(server.limiter.open, held ? 1 : 0);
      client.reset();
      await server.freed();
    }
  });
}

test("limitRequests() frees the slot of a WebSocket of Bun seconds before Bun closes its connection", {
  skip: !isBun || hiddenSockets,
}, async () => {
  const websocket = {
    idleTimeout: 8,
    open: (socket: { data(socket: unknown): void }) => socket.data(socket),
    message() {},
  };
  await using server = serveSockets({ bun: { websocket } });
  const { client } = await open(server);
  const before = openSockets();
  // A client that does not read takes no notice of the server's FIN.
  client.socket.pause();
  client.write(CLOSE);
  await server.empty();
  assertStrictEquals(openSockets(), before);
  await eventually(() => openSockets() === before - 1, "Bun to close the connection, after four seconds");
  assert(!client.ended);
});
