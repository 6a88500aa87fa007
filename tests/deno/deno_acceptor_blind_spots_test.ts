/**
 * What `limitedListener()` cannot reach on Deno, as docs/runtimes.md has it. A test that fails here may be good news.
 *
 * @module
 */

import { connect } from "node:tls";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { limitedListener } from "@connlimit/connlimit";
import { ServerWithFew } from "../support/deno/few_descriptors.ts";
import { testUnless } from "../support/test_unless.ts";
import {
  aWhile,
  certificate,
  type Client,
  connected,
  connectFrom,
  ended,
  eventually,
  openSockets,
  reply,
} from "../support/net.ts";
import { hiddenSockets, noPosix, oneAddress } from "../support/platform.ts";
import { keepAll } from "../support/listeners.ts";

Deno.test("limitedListener() over Deno.listenTls() has no handshake spared for a refused connection", async () => {
  using listener = limitedListener(Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...certificate() }), {
    maxPerClient: 0,
  });
  const kept = keepAll(listener);
  const { port } = listener.addr as Deno.NetAddr;
  using client = await connected(connect({ host: "127.0.0.1", port, rejectUnauthorized: false }), "secureConnect");
  assertStrictEquals(await ended(client), "");
  assertEquals([listener.limiter.stats().refused, listener.limiter.open], [1, 0]);
  listener.close();
  await kept;
});

testUnless(
  hiddenSockets,
  "limitedListener() over Deno.listenTls() frees the slot of a client that is silent in the handshake, while Deno keeps the descriptor",
  async () => {
    using listener = limitedListener(Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...certificate() }));
    const { port } = listener.addr as Deno.NetAddr;
    const before = openSockets();
    {
      using _ = await connectFrom("127.0.0.1", port);
      const conn = await listener.accept();
      conn.close();
      await aWhile();
      // The client's, and that of the connection.
      assertEquals([listener.limiter.open, openSockets() - before], [0, 2]);
    }
    await eventually(() => openSockets() === before, "Deno to close the descriptor");
  },
);

/** What `silent_tls_server.ts` prints. */
interface State {
  readonly open: number;
  readonly refused: number;
  readonly failed: number;
}

const DESCRIPTORS = 200;
const SILENT = 300;

testUnless(
  noPosix || oneAddress,
  "limitedListener() over Deno.listenTls() runs out of descriptors by silent clients of one address, although it refuses them",
  async () => {
    await using server = new ServerWithFew<State>(DESCRIPTORS, "silent_tls_server.ts", "Deno.listenTls");
    const clients = await connectSilently(await server.port);
    const { open, refused } = await server.until(({ failed }) => failed > 0, "accepts to fail");
    assertStrictEquals(open, 5);
    assert(refused > DESCRIPTORS / 2, `${refused} refused`);
    for (const client of clients) client[Symbol.dispose]();
  },
);

testUnless(
  noPosix || oneAddress,
  "limitServer() over tls.createServer() closes silent clients of one address, and with handshakeTimeout the admitted ones, too",
  async () => {
    await using server = new ServerWithFew<State>(DESCRIPTORS, "silent_tls_server.ts", "node:tls");
    const port = await server.port;
    const clients = await connectSilently(port);
    await server.until(({ refused }) => refused === SILENT - 5, "all but five to be refused");
    using polite = await connected(connect({ port, host: "127.0.0.1", rejectUnauthorized: false }), "secureConnect");
    assertStrictEquals(await reply(polite, "hello"), "hello");
    await server.until(({ open }) => open === 1, "the silent ones to be closed at their deadline");
    await Promise.all(clients.map(ended));
  },
);

/** Connects from one address, and says nothing. */
async function connectSilently(port: number): Promise<Client[]> {
  const clients: Client[] = [];
  // Fewer at once than servers let queue.
  while (clients.length < SILENT) {
    clients.push(...await Promise.all(Array.from({ length: 50 }, () => connectFrom("127.0.0.2", port))));
  }
  return clients;
}
