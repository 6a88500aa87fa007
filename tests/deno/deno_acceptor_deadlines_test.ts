/**
 * Deadlines on Deno: what the sanitizers of its tests see of them, and what Deno cannot do.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { limitedListener, Limiter, withSlot } from "@connlimit/connlimit";
import { pass, T } from "../support/deadline_trial.ts";
import { echoAll, keepAll } from "../support/listeners.ts";
import { listen, tcp } from "../support/deno/deno_listeners.ts";
import { certificate, connectFrom, ended, eventually, openSockets, reply } from "../support/net.ts";
import { notLinux } from "../support/platform.ts";
import { testUnless } from "../support/test_unless.ts";

const ALL = { firstByteTimeout: 60_000, idleTimeout: 60_000, maxAge: 60_000 };

Deno.test("limitedListener() with deadlines leaves no timer behind, at the end of the connections or by shutdown()", async () => {
  for (const timeout of [0, 10_000]) {
    const listener = listen({}, ALL);
    const serving = echoAll(listener);
    const client = await connectFrom("127.0.0.1", listener.addr.port);
    assertEquals(await reply(client, "hello"), "hello");
    const closed = ended(client);
    if (timeout > 0) client.socket.end();
    await listener.shutdown({ timeout });
    await closed;
    await serving;
    client[Symbol.dispose]();
  }
});

Deno.test("limitedListener() without deadlines leaves the methods of connections alone", async () => {
  using other = tcp();
  using dialled = await Deno.connect({ port: other.addr.port });
  using bare = await other.accept();
  assert(dialled.write === bare.write);
  for (const options of [{}, { idleTimeout: Infinity, onTimeout() {} }, ALL]) {
    const native = tcp();
    const listener = limitedListener(native, {}, options);
    using client = await connectFrom("127.0.0.1", native.addr.port);
    using conn = await listener.accept();
    const { read, write } = bare;
    assertEquals([conn.read === read, conn.write === write], options === ALL ? [false, false] : [true, true]);
    assertEquals(Object.keys(conn), []);
    listener.close();
    client.fin();
  }
});

Deno.test("limitedListener() counts the timeouts of each of several limiters by itself, and all see the bytes", async () => {
  const [inner, outer, account] = [new Limiter(), new Limiter(), new Limiter()];
  const native = tcp();
  const listener = limitedListener(limitedListener(native, inner, { maxAge: 5 * T }), outer, { idleTimeout: T });
  const conns: unknown[] = [];
  const serving = (async () => {
    for await (const conn of listener) {
      conns.push(withSlot(conn, account.accept("192.0.2.7")));
      conn.readable.pipeTo(conn.writable).catch(() => {});
    }
  })();
  using talker = await connectFrom("127.0.0.1", native.addr.port);
  using silent = await connectFrom("127.0.0.1", native.addr.port);
  const closed = Promise.all([talker, silent].map(ended));
  for (let i = 0; i < 5; i++) {
    await pass(T * 0.6);
    if (!talker.socket.destroyed) talker.socket.write("hello");
  }
  const timer = setInterval(() => talker.socket.writable && talker.socket.write("hello"), T / 3);
  await closed;
  clearInterval(timer);
  await eventually(() => outer.open + inner.open + account.open === 0, "the slots to be free");
  assertEquals([inner.stats().timedOut, outer.stats().timedOut, account.stats().timedOut], [
    { firstByte: 0, idle: 0, maxAge: 1 },
    { firstByte: 0, idle: 1, maxAge: 0 },
    { firstByte: 0, idle: 0, maxAge: 0 },
  ]);
  listener.close();
  await serving;
});

// Deno's blind spot. If this fails, the runtime notes can be shorter.
testUnless(
  notLinux,
  "limitedListener() over Deno.listenTls() frees the slot of a silent client, whose descriptor stays",
  async () => {
    const before = openSockets();
    const native = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...certificate() });
    const listener = limitedListener(native, {}, { firstByteTimeout: T });
    const conns: Deno.TlsConn[] = [];
    const serving = keepAll(listener, conns);
    const client = await connectFrom("127.0.0.1", native.addr.port);
    await eventually(() => listener.limiter.stats().timedOut.firstByte === 1, "the deadline");
    assertStrictEquals(listener.limiter.open, 0);
    await pass(T);
    assertEquals([client.socket.destroyed, openSockets() - before], [false, 3]);
    client[Symbol.dispose]();
    listener.close();
    await serving;
    await eventually(() => openSockets() === before, "the sockets to be closed");
    assert(conns.length === 1);
  },
);
