/**
 * What `limitedListener()` cannot reach on Deno, as docs/runtimes.md has it. A test that fails here may be good news.
 *
 * @module
 */

import { connect } from "node:tls";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { limitedListener } from "@connlimit/connlimit";
import { testUnless } from "../support/test_unless.ts";
import { aWhile, certificate, connected, connectFrom, ended, eventually, openSockets } from "../support/net.ts";
import { hiddenSockets } from "../support/platform.ts";
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
