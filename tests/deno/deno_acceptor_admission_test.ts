/**
 * Which connections a limited listener of Deno admits and which it refuses.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { type LimitedConn, limitedListener } from "@connlimit/connlimit";
import { listen } from "../support/deno/deno_listeners.ts";
import { testUnless } from "../support/test_unless.ts";
import { closeAll, echoAll } from "../support/listeners.ts";
import { connectFrom, ended, eventually, within } from "../support/net.ts";
import { noIPv6, notLinux, oneAddress } from "../support/platform.ts";

testUnless(oneAddress, "limitedListener() echoes for many clients at once and frees every slot", async () => {
  using listener = listen({ maxPerClient: 20 });
  const serving = echoAll(listener);
  const echoes = await Promise.all(
    Array.from({ length: 60 }, async (_, index) => {
      const client = await connectFrom(`127.0.0.${1 + index % 3}`, listener.addr.port);
      client.socket.end(`hello ${index}`);
      return await ended(client);
    }),
  );
  assertEquals(echoes, Array.from({ length: 60 }, (_, index) => `hello ${index}`));
  await within(listener.limiter.idle(), "the limiter to be idle");
  listener.close();
  await serving;
});

testUnless(oneAddress || notLinux, "limitedListener() survives 1,000 clients that connect and reset", async () => {
  const errors: unknown[] = [];
  using listener = listen({ maxPerClient: 3 }, { onError: (error) => void errors.push(error) });
  const { limiter, addr: { port } } = listener;
  // With nobody accepting, these are all reset before they are accepted.
  for (let i = 0; i < 200; i++) (await connectFrom("127.0.0.2", port)).reset();
  const conns: LimitedConn<Deno.TcpConn>[] = [];
  const serving = (async () => {
    for await (const conn of listener) {
      if (conn.remoteAddr.hostname === "127.0.0.1") conns.push(conn);
      // What was reset after it was accepted is seen as an end.
      else conn.read(new Uint8Array(1)).catch(() => {}).finally(() => conn[Symbol.dispose]());
    }
  })();
  for (let i = 0; i < 800; i++) (await connectFrom("127.0.0.2", port)).reset();
  using polite = await connectFrom("127.0.0.1", port);
  await eventually(() => conns.length === 1, "the polite client to be served");
  assertStrictEquals(listener.acceptErrors, errors.length);
  assert(errors.length >= 200, `${errors.length} failed accepts`);
  for (const error of errors) assert(error instanceof Deno.errors.NotConnected, String(error));
  await eventually(() => limiter.open === 1, "the others to be gone");
  const { admitted, refused } = limiter.stats();
  assertStrictEquals(admitted + refused + listener.acceptErrors, 1_001);
  listener.close();
  await serving;
  closeAll(conns);
  await ended(polite);
});

testUnless(noIPv6, "limitedListener() counts an IPv4 client the same on a dual-stack listener", async () => {
  using listener = limitedListener(Deno.listen({ hostname: "::", port: 0 }), { maxPerClient: 1 });
  using four = await connectFrom("127.0.0.1", listener.addr.port);
  using six = await connectFrom("::1", listener.addr.port, "::1");
  using first = await listener.accept();
  using second = await listener.accept();
  assertEquals([first.slot.client, second.slot.client], ["127.0.0.1", "::/64"]);
  assertStrictEquals(listener.limiter.openFor("::ffff:127.0.0.1"), 1);
  four.fin();
  six.fin();
});
