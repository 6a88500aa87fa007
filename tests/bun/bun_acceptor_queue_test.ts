/**
 * Bun accepts connections before anyone asks for them. They are counted while they wait.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { limitedListener } from "@connlimit/connlimit";
import { listen } from "@connlimit/connlimit/bun";
import { closeAll, keepAll } from "../support/listeners.ts";
import { aWhile, type Client, connectFrom, ended, eventually, leavingNoSocket, openSockets } from "../support/net.ts";
import { hiddenSockets } from "../support/platform.ts";
import { connect, KINDS } from "../support/bun/kinds.ts";
import { limited } from "../support/bun/limited.ts";
import { bytes } from "../support/text.ts";

for (const kind of KINDS) {
  test(
    `limitedListener() counts connections that nobody asks for, and forgets those that are reset (${kind.name})`,
    { skip: hiddenSockets },
    leavingNoSocket(async () => {
      const before = openSockets();
      using listener = limited(kind, { maxPerClient: 3 });
      const { limiter, addr: { port } } = listener;
      const clients = await Promise.all([1, 2, 3].map(() => connect(kind, port)));
      assertStrictEquals(await ended(await connectFrom("127.0.0.1", port)), "");
      assertStrictEquals(limiter.open, 3);
      // However many come and leave, there is room again and nothing of them is left.
      for (let round = 0; round < 20; round++) {
        clients[1]!.reset();
        await eventually(() => limiter.open === 2, "the slot to be free");
        clients[1] = await connect(kind, port);
        await eventually(() => limiter.open === 3, "the next to be admitted");
      }
      assertEquals(openSockets() - before, 7);
      const ports = clients.map(({ socket }) => socket.localPort!);
      using first = await listener.accept();
      using second = await listener.accept();
      using third = await listener.accept();
      const order = [first, second, third].map(({ remoteAddr }) => remoteAddr.port);
      assertEquals(order, [ports[0]!, ports[2]!, ports[1]!]);
      closeAll([first, second, third, ...clients]);
      const later = [await connect(kind, port), await connect(kind, port)];
      await eventually(() => limiter.open === 2, "the later ones to be admitted");
      using fourth = await listener.accept();
      using fifth = await listener.accept();
      assertEquals(
        [fourth, fifth].map(({ remoteAddr }) => remoteAddr.port),
        later.map(({ socket }) => socket.localPort!),
      );
      closeAll(later);
    }),
  );

  test(`limitedListener() closes connections that nobody has asked for when it is closed (${kind.name})`, async () => {
    const listener = limited(kind);
    const { limiter, addr: { port } } = listener;
    using client = await connect(kind, port);
    using silent = await connectFrom("127.0.0.1", port);
    await eventually(() => limiter.open === 2, "both to be admitted");
    listener.close();
    assertStrictEquals(limiter.open, 0);
    assertEquals(await keepAll(listener), []);
    assertEquals(await Promise.all([ended(client), ended(silent)]), ["", ""]);
  });
}

test("limitedListener() over a listen() that was used before limits what waits in it, too", async () => {
  const native = listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = native.addr;
  const clients: Client[] = [];
  for (let i = 0; i < 4; i++) clients.push(await connectFrom("127.0.0.1", port));
  using early = await native.accept();
  await aWhile();
  const refused: string[] = [];
  using listener = limitedListener(native, { maxPerClient: 2 }, {
    onRefused: ({ reason }, conn) => {
      refused.push(reason);
      conn.write(bytes("busy"));
      // It rejects, which would fail the test as an unhandled rejection.
      conn.read(new Uint8Array(1));
    },
  });
  const { limiter } = listener;
  // The early one is its owner's. Of the three that wait, two are admitted.
  assertEquals([limiter.open, refused], [2, ["client"]]);
  assertStrictEquals(await ended(clients[3]!), "busy");
  const ports = [early, await listener.accept(), await listener.accept()].map(({ remoteAddr }) => remoteAddr.port);
  assertEquals(ports, clients.slice(0, 3).map(({ socket }) => socket.localPort!));
  assertStrictEquals(await listener.shutdown({ timeout: 0 }), 3);
  assertStrictEquals(limiter.open, 0);
  early.close();
  await ended(clients[0]!);
});
