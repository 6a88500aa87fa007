/**
 * Which connections a limited listener of Bun admits and which it refuses.
 *
 * @module
 */

import { once } from "node:events";
import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { limitedListener } from "@connlimit/connlimit";
import { listen } from "@connlimit/connlimit/bun";
import { Folder } from "../support/folder.ts";
import { answered, closeAll, echoAll, keepAll } from "../support/listeners.ts";
import { connectFrom, ended, eventually, openSockets, within } from "../support/net.ts";
import { resetFromOutside } from "../support/outside.ts";
import { noIPv6, notLinux, noUnixSockets, oneAddress } from "../support/platform.ts";
import { connect, KINDS } from "../support/bun/kinds.ts";
import { limited, onLoopback } from "../support/bun/limited.ts";

for (const kind of KINDS) {
  test(
    `limitedListener() echoes for many clients at once and frees every slot (${kind.name})`,
    { skip: oneAddress },
    async () => {
      using listener = limited(kind, { maxPerClient: 20 });
      const serving = echoAll(listener);
      const echoes = await Promise.all(Array.from({ length: 30 }, async (_, index) => {
        using client = await connect(kind, listener.addr.port, `127.0.0.${1 + index % 3}`);
        const echo = once(client.socket, "data");
        client.socket.write(`hello ${index}`);
        const [text] = await echo;
        client.socket.end();
        await ended(client);
        return `${text}`;
      }));
      assertEquals(echoes, Array.from({ length: 30 }, (_, index) => `hello ${index}`));
      await within(listener.limiter.idle(), "the limiter to be idle");
      listener.close();
      await serving;
    },
  );

  test(`limitedListener() refuses a client that connects and resets before it is accepted (${kind.name})`, {
    skip: notLinux,
  }, async () => {
    const before = openSockets();
    const refused: [reason: string, address: unknown][] = [];
    {
      using listener = limited(kind, {}, {
        onRefused: ({ reason }, { remoteAddr }) => void refused.push([reason, remoteAddr]),
      });
      const { limiter, addr: { port } } = listener;
      const kept = keepAll(listener);
      resetFromOutside(port, 5);
      await answered(limiter, 5);
      assertEquals(refused, Array(5).fill(["unknown-address", { transport: "tcp", hostname: "", port: 0 }]));
      using polite = await connect(kind, port);
      await eventually(() => limiter.open === 1, "the polite client to be admitted");
      listener.close();
      closeAll(await kept);
      await ended(polite);
    }
    await eventually(() => openSockets() === before, "every socket to be closed");
  });

  test(
    `limitedListener() survives 500 clients that connect and reset (${kind.name})`,
    { skip: oneAddress },
    async () => {
      using listener = limited(kind, { maxPerClient: 3 });
      const { limiter, addr: { port } } = listener;
      const serving = echoAll(listener);
      for (let i = 0; i < 500; i++) (await connectFrom("127.0.0.2", port)).reset();
      using polite = await connect(kind, port);
      const echo = once(polite.socket, "data");
      polite.socket.write("hello");
      assertStrictEquals(`${(await echo)[0]}`, "hello");
      await eventually(() => limiter.open === 1, "the others to be gone");
      const { admitted, refused } = limiter.stats();
      assertStrictEquals(admitted + refused, 501);
      polite.reset();
      await within(limiter.idle(), "the limiter to be idle");
      listener.close();
      await serving;
    },
  );
}

test("limitedListener() counts an IPv4 client the same on a dual-stack listener, and IPv6 clients by their /64", {
  skip: noIPv6,
}, async () => {
  const natives = [Bun.listen({ ...onLoopback, hostname: "::" }), listen({ hostname: "::", port: 0 })] as const;
  for (const native of natives) {
    using listener = "accept" in native
      ? limitedListener(native, { maxPerClient: 1 })
      : limitedListener(native, { maxPerClient: 1 });
    const { port } = listener.addr;
    using four = await connectFrom("127.0.0.1", port);
    using first = await listener.accept();
    using six = await connectFrom("::1", port, "::1");
    using second = await listener.accept();
    assertEquals([first.slot.client, second.slot.client], ["127.0.0.1", "::/64"]);
    assertEquals([first.remoteAddr.hostname, second.remoteAddr.hostname], ["::ffff:127.0.0.1", "::1"]);
    assertStrictEquals(second.localAddr.hostname, "::1");
    using again = await connectFrom("127.0.0.1", port);
    assertStrictEquals(await ended(again), "");
    four.reset();
    six.reset();
    await within(listener.limiter.idle(), "the limiter to be idle");
  }
});

test("limitedListener() counts all peers of a Unix socket as one client", { skip: noUnixSockets }, async () => {
  using folder = new Folder();
  const path = folder.file();
  const make = [
    () => limitedListener(Bun.listen({ unix: path, socket: { data() {} } }), { maxPerClient: 2 }),
    () => limitedListener(listen({ transport: "unix", path }), { maxPerClient: 2 }),
  ];
  for (const listenAt of make) {
    using listener = listenAt();
    assertEquals(listener.addr, { transport: "unix", path });
    const clients = await Promise.all([1, 2, 3].map(() => Bun.connect({ unix: path, socket: { data() {} } })));
    await answered(listener.limiter, 3);
    assertEquals([...listener.limiter.clients()], [{ client: "unix", open: 2 }]);
    using first = await listener.accept();
    assertEquals([first.remoteAddr, first.localAddr], [{ transport: "unix", path: null }, {
      transport: "unix",
      path: null,
    }]);
    using second = await listener.accept();
    second.close();
    assertStrictEquals(listener.limiter.open, 1);
    for (const client of clients) client.end();
    assertStrictEquals(await first.read(new Uint8Array(1)), null);
  }
});
