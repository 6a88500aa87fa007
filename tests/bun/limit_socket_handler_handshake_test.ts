/**
 * Clients that do not finish the TLS handshake, and what ends them.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { limitSocketHandler } from "@connlimit/connlimit/bun";
import { connect, TLS } from "../support/bun/kinds.ts";
import { testSockets as test } from "../support/bun/test_sockets.ts";
import { data, serve, type Socket } from "../support/bun/with_served.ts";
import { aWhile, connectFrom, eventually } from "../support/net.ts";

const HALF_HELLO = new Uint8Array([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01]);

for (const [name, sent] of [["is silent", new Uint8Array()], ["sends half a ClientHello", HALF_HELLO]] as const) {
  test(`without a handshake handler nothing tells of a client that ${name}, and it keeps its slot`, async () => {
    const called: string[] = [];
    const handlers = limitSocketHandler({}, {
      data,
      open: () => void called.push("open"),
      close: () => void called.push("close"),
    });
    using listener = serve(TLS, handlers);
    using client = await connectFrom("127.0.0.1", listener.port);
    client.socket.write(sent);
    await eventually(() => handlers.limiter.open === 1, "the client to be admitted");
    await aWhile();
    assertEquals([handlers.limiter.open, called], [1, []]);
    client.reset();
    await eventually(() => handlers.limiter.open === 0, "the slot to be free");
  });

  test(`with a handshake handler a timer of open() ends a client that ${name}, and no other`, async () => {
    const timers = new Map<Socket, ReturnType<typeof setTimeout>>();
    const handlers = limitSocketHandler({}, {
      data,
      open: (socket: Socket) => void timers.set(socket, setTimeout(() => socket.terminate(), 100)),
      handshake: (socket: Socket) => clearTimeout(timers.get(socket)),
      close: (socket: Socket) => clearTimeout(timers.get(socket)),
    });
    using listener = serve(TLS, handlers);
    using other = await connect(TLS, listener.port);
    using client = await connectFrom("127.0.0.1", listener.port);
    client.socket.write(sent);
    await eventually(() => handlers.limiter.stats().admitted === 2, "both to be admitted");
    await eventually(() => handlers.limiter.open === 1, "the slot to be free");
    await aWhile();
    assertStrictEquals(other.socket.closed, false);
    other.reset();
    await eventually(() => handlers.limiter.open === 0, "no slot to be taken");
  });
}
