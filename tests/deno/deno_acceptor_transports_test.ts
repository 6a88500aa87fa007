/**
 * Unix sockets and TLS on Deno.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { limitedListener } from "@connlimit/connlimit";
import { testUnless } from "../support/test_unless.ts";
import { Folder } from "../support/folder.ts";
import { echoAll } from "../support/listeners.ts";
import { certificate, connectFrom, ended, eventually, within } from "../support/net.ts";
import { noUnixSockets } from "../support/platform.ts";

testUnless(noUnixSockets, "limitedListener() counts all peers of a Unix socket as one client", async () => {
  using folder = new Folder();
  const path = folder.file();
  using listener = limitedListener(Deno.listen({ transport: "unix", path }), { maxPerClient: 2 });
  assertStrictEquals(listener.addr.path, path);
  const serving = echoAll(listener);
  const clients = await Promise.all([1, 2, 3].map(() => Deno.connect({ transport: "unix", path })));
  await eventually(() => listener.limiter.stats().refused === 1, "one to be refused");
  assertEquals([...listener.limiter.clients()], [{ client: "unix", open: 2 }]);
  for (const client of clients) client.close();
  await within(listener.limiter.idle(), "the limiter to be idle");
  listener.close();
  await serving;
});

Deno.test("limitedListener() over Deno.listenTls() limits, and frees at the end of the streams", async () => {
  const { cert, key } = certificate();
  using listener = limitedListener(Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key }), { maxPerClient: 1 });
  const serving = echoAll(listener);
  const connect = () => Deno.connectTls({ hostname: "localhost", port: listener.addr.port, caCerts: [cert] });
  for (let i = 0; i < 2; i++) {
    using client = await connect();
    await client.write(new TextEncoder().encode("echo"));
    assertStrictEquals(await client.read(new Uint8Array(8)), 4);
    using refused = await connect();
    // Deno's blind spot: the handshake of a refused connection still takes place.
    await refused.handshake();
    assertStrictEquals(await refused.read(new Uint8Array(8)).catch(() => null), null);
    assertStrictEquals(listener.limiter.open, 1);
    client.close();
    await within(listener.limiter.idle(), "the limiter to be idle");
  }
  // A client that is no TLS client at all.
  using garbage = await connectFrom("127.0.0.1", listener.addr.port);
  garbage.socket.write("GET / HTTP/1.1\r\n\r\n");
  await ended(garbage);
  await within(listener.limiter.idle(), "the limiter to be idle");
  listener.close();
  await serving;
});
