/**
 * A dry run of limits on callback handlers.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { limitSocketHandler } from "@connlimit/connlimit/bun";
import { connectFrom, ended, eventually, openSockets } from "../support/net.ts";
import { resetFromOutside } from "../support/outside.ts";
import { notLinux } from "../support/platform.ts";
import { serve, type Socket } from "../support/bun/with_served.ts";
import { connect, KINDS } from "../support/bun/kinds.ts";
import { testSockets as test } from "../support/bun/test_sockets.ts";

for (const kind of KINDS) {
  test(`limitSocketHandler() calls the handlers in a dry run, and onRefused (${kind.name})`, async () => {
    const before = openSockets();
    const limiter = new Limiter({ maxPerClient: 1, dryRun: true });
    const calls: string[] = [];
    const listener = serve(
      kind,
      limitSocketHandler(limiter, {
        open: () => void calls.push("open"),
        data: () => {},
        close: () => void calls.push("close"),
      }, {
        onRefused: ({ reason, dryRun }, { remoteAddress }: Socket) =>
          void calls.push(`${reason} ${dryRun} ${remoteAddress}`),
      }),
    );
    const clients = [await connect(kind, listener.port), await connect(kind, listener.port)];
    await eventually(() => calls.length === 3, "two to be open");
    // Over TLS, the handlers are called after the handshake.
    const told = "client true 127.0.0.1";
    assertEquals(kind.tls ? calls.toSorted() : calls, kind.tls ? [told, "open", "open"] : ["open", told, "open"]);
    assertEquals([limiter.open, limiter.stats().wouldRefuse.client], [1, 1]);
    for (const client of clients) client.socket.destroy();
    await limiter.idle();
    await eventually(() => calls.length === 5, "both to be closed");
    listener.stop(true);
    await eventually(() => openSockets() === before, "every socket to be closed");
  });

  test(`limitSocketHandler() frees the slot of a dry run whose socket onRefused closes (${kind.name})`, async () => {
    const limiter = new Limiter({ maxPerClient: 0, dryRun: true });
    const handlers = { data: () => {} };
    const listener = serve(
      kind,
      limitSocketHandler(limiter, handlers, { onRefused: (_, socket: Socket) => void socket.terminate() }),
    );
    using client = await connectFrom("127.0.0.1", listener.port);
    await ended(client);
    await limiter.idle();
    assertStrictEquals(limiter.stats().wouldRefuse.client, 1);
    listener.stop(true);
  });

  test(
    `limitSocketHandler() keeps no slot in a dry run of clients that reset before they are accepted (${kind.name})`,
    {
      skip: notLinux,
    },
    async () => {
      const before = openSockets();
      const limiter = new Limiter({ dryRun: true });
      const listener = serve(kind, limitSocketHandler(limiter, { data: () => {} }));
      resetFromOutside(listener.port, 5);
      await eventually(() => limiter.stats().wouldRefuse["unknown-address"] === 5, "five to be counted");
      await limiter.idle();
      await eventually(() => openSockets() === before + 1, "every socket to be closed");
      listener.stop(true);
    },
  );
}
