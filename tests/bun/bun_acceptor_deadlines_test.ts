/**
 * Deadlines on Bun, where limits come later or twice.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { limitedListener, Limiter } from "@connlimit/connlimit";
import { listen } from "@connlimit/connlimit/bun";
import { pass, T } from "../support/deadline_trial.ts";
import { echoAll } from "../support/listeners.ts";
import { aWhile, connectFrom, ended, eventually, leavingNoSocket } from "../support/net.ts";
import { Relay, toPort } from "../support/relay.ts";

test(
  "deadlines of limitedListener() over a listen() that was used before are for those that are admitted",
  leavingNoSocket(async () => {
    const native = listen({ hostname: "127.0.0.1", port: 0 });
    const clients = [
      await connectFrom("127.0.0.1", native.addr.port),
      await connectFrom("127.0.0.1", native.addr.port),
    ];
    const early = await native.accept();
    await aWhile();
    const listener = limitedListener(native, {}, { firstByteTimeout: T, idleTimeout: T });
    assertEquals(listener.limiter.open, 1);
    const serving = echoAll(listener);
    await ended(clients[1]!);
    await pass(T);
    assertEquals([listener.limiter.open, clients[0]!.socket.closed], [0, false]);
    assertEquals(listener.limiter.stats().timedOut, { firstByte: 1, idle: 0, maxAge: 0 });
    // As without deadlines, those that were there before are closed, too.
    assertEquals(await listener.shutdown({ timeout: 0 }), 1);
    await Promise.all([serving, ended(clients[0]!)]);
    assertEquals(await early.read(new Uint8Array(1)).catch(({ name }) => name), "BadResource");
  }),
);

test(
  "deadlines of a second limiter see the bytes of streams, and reset a client that is stuck",
  leavingNoSocket(async () => {
    const [inner, outer] = [new Limiter(), new Limiter()];
    const native = listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = native.addr;
    const listener = limitedListener(limitedListener(native, inner), outer, { idleTimeout: T });
    let served = 0;
    const serving = (async () => {
      for await (const conn of listener) {
        if (served++ === 0) conn.readable.pipeTo(conn.writable).catch(() => {});
        else {
          (async () => {
            for (;;) await conn.write(new Uint8Array(16_384));
          })().catch(() => {});
        }
      }
    })();
    using talker = await connectFrom("127.0.0.1", port);
    talker.socket.resume();
    const timer = setInterval(() => talker.socket.write("hello"), T / 2);
    await eventually(() => served === 1, "the first");
    using relay = await Relay.to(toPort(port));
    using stuck = await connectFrom("127.0.0.1", relay.port);
    stuck.socket.resume();
    await eventually(() => served === 2, "the second");
    relay.stop();
    await eventually(() => outer.stats().timedOut.idle === 1, "the deadline");
    assertEquals([inner.open, outer.open, inner.stats().timedOut.idle], [1, 1, 0]);
    await eventually(() => relay.closed, "the connection to be closed");
    await pass(T);
    assertEquals(outer.open, 1);
    clearInterval(timer);
    const closed = ended(talker);
    await closed;
    assertEquals([inner.open, outer.open, outer.stats().timedOut.idle], [0, 0, 2]);
    listener.close();
    await serving;
  }),
);
