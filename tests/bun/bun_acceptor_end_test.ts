/**
 * How a limited listener of Bun ends, and what it keeps running.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { limitedListener } from "@connlimit/connlimit";
import { nameOfError } from "../support/failures.ts";
import { closeAll, keepAll } from "../support/listeners.ts";
import {
  aWhile,
  certificate,
  connectFrom,
  ended,
  eventually,
  leavingNoSocket,
  openSockets,
  within,
} from "../support/net.ts";
import { limited, onLoopback } from "../support/bun/limited.ts";
import { connect, KINDS, PLAIN, TLS } from "../support/bun/kinds.ts";
import { stuff } from "../support/bun/socket_of.ts";
import { firstLine, withBun } from "../support/bun/with_bun.ts";

for (
  const [name, stop] of Object.entries({
    "stop()": (native: Bun.TCPSocketListener) => native.stop(),
    "stop(true)": (native: Bun.TCPSocketListener) => native.stop(true),
    "dispose": (native: Bun.TCPSocketListener) => native[Symbol.dispose](),
  })
) {
  for (const kind of [PLAIN, TLS]) {
    test(`limitedListener() ends the loop when Bun's own listener is stopped by ${name} (${kind.name})`, async () => {
      const native = Bun.listen({ ...onLoopback, ...(kind.tls ? { tls: certificate() } : {}) });
      const listener = limitedListener(native);
      const { limiter } = listener;
      const kept = keepAll(listener);
      using client = await connect(kind, native.port);
      using silent = await connectFrom("127.0.0.1", native.port);
      await eventually(() => limiter.open === 2, "both to be admitted");
      stop(native);
      // Only `stop()` leaves open connections as they are.
      assertStrictEquals(limiter.open, name === "stop()" ? 2 : 0);
      closeAll(await within(kept, "the loop to end"));
      await within(limiter.idle(), "the limiter to be idle");
      await assertRejects(() => connectFrom("127.0.0.1", native.port));
      assertStrictEquals(await nameOfError(listener.accept()), "BadResource");
      stop(native);
      await Promise.all([ended(client), ended(silent)]);
    });
  }
}

for (const kind of KINDS) {
  test(
    `LimitedListener.shutdown() leaves nothing open, whatever there is still to send (${kind.name})`,
    leavingNoSocket(async () => {
      using listener = limited(kind);
      const { limiter, addr: { port } } = listener;
      using closed = await connect(kind, port);
      using open = await connect(kind, port);
      const conns = [await listener.accept(), await listener.accept()] as const;
      for (const [index, client] of [closed, open].entries()) {
        client.socket.pause();
        // Until there is nothing left of a handshake.
        await conns[index]!.write(new Uint8Array(1));
        await aWhile();
        await stuff(conns[index]!);
      }
      conns[0].close();
      // Without TLS, Bun holds nothing, and so it is closed at once.
      const count = kind.tls ? 2 : 1;
      assertStrictEquals(limiter.open, count);
      const sockets = openSockets();
      assertStrictEquals(await within(listener.shutdown({ timeout: 20 }), "the shutdown"), count);
      // The listener is closed, too.
      assertEquals([limiter.open, openSockets()], [0, sockets - count - 1]);
    }),
  );
}

/** Programs that are kept running by what each of them has, unless that is told otherwise by `end`. */
const PROGRAMS: Readonly<Record<string, (end: string) => string>> = {
  "a limited listener": (end) => `
    import { limitedListener } from "@connlimit/connlimit";
    import { listen } from "@connlimit/connlimit/bun";
    const listeners = [
      limitedListener(listen({ hostname: "127.0.0.1", port: 0 })),
      limitedListener(Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } })),
    ];
    for (const it of listeners) {
      it.unref(); it.ref(); ${end}
      (async () => { for await (const _ of it); })();
    }
    console.log("running");
  `,
  "a connection": (end) => `
    import { connect } from "node:net";
    import { limitedListener } from "@connlimit/connlimit";
    import { listen } from "@connlimit/connlimit/bun";
    const listener = limitedListener(listen({ hostname: "127.0.0.1", port: 0 }));
    connect(listener.addr.port, "127.0.0.1").unref();
    const it = await listener.accept();
    listener.close();
    it.unref(); it.ref(); ${end}
    console.log("running");
  `,
};

test("limitedListener() keeps the process running as Bun's listener does, and lets it end where it is unreferenced", async () => {
  for (const [name, program] of Object.entries(PROGRAMS)) {
    for (const [end, ends] of [["it.unref();", true], ["it.close();", true], ["", false]] as const) {
      await withBun(["-e", program(end)], async (program) => {
        assertStrictEquals(await firstLine(program), "running", name);
        if (!ends) {
          assertStrictEquals(await Promise.race([program.ended, aWhile()]), undefined, name);
          program.kill();
        }
        const { code } = await within(program.ended, `the process of ${name} to end`);
        assertStrictEquals(code, ends ? 0 : null, name);
      });
    }
  }
});
