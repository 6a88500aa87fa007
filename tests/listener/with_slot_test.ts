/**
 * Slots are bound to connections, on Deno and on Bun alike.
 *
 * @module
 */

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { type ConnLike, type LimitedConn, Limiter, withSlot } from "@connlimit/connlimit";
import { type Making, MAKINGS } from "../support/makings.ts";
import { ended, leavingNoSocket } from "../support/net.ts";
import { testUnless } from "../support/test_unless.ts";

/** Uses a connection that a limiter has admitted, and checks that nothing of it is left. */
function withConn(
  { listen, connect }: Making,
  use: (conn: LimitedConn<ConnLike>, limiter: Limiter) => unknown,
): Promise<void> {
  return leavingNoSocket(async () => {
    const limiter = new Limiter();
    using listener = listen(limiter);
    const [client, conn] = await Promise.all([connect(listener.addr.port), listener.accept()]);
    await use(conn, limiter);
    conn[Symbol.dispose]();
    await ended(client);
    assertStrictEquals(limiter.open, 0);
  })();
}

for (const making of MAKINGS) {
  testUnless(
    false,
    `withSlot() binds the slots of several limiters, all freed with the connection (${making.name})`,
    () =>
      withConn(making, async (conn, limiter) => {
        const accounts = new Limiter();
        const first = conn.slot;
        const readable = conn.readable;
        assertStrictEquals(withSlot(conn, accounts.accept({ key: "alice" })).slot.client, "alice");
        assertStrictEquals(conn.readable, readable);
        assertEquals([limiter.open, accounts.open, first.released], [1, 1, false]);
        await conn.readable.cancel();
        assertEquals([limiter.open, accounts.open, first.released], [0, 0, true]);
      }),
  );

  testUnless(
    false,
    `withSlot() frees at once the slot for a connection that is closed by then (${making.name})`,
    () =>
      withConn(making, (conn, limiter) => {
        const accounts = new Limiter();
        conn.close();
        assertStrictEquals(withSlot(conn, accounts.accept({ key: "alice" })).slot.released, true);
        assertEquals([limiter.open, accounts.open], [0, 0]);
      }),
  );

  testUnless(
    false,
    `withSlot() refuses a second slot of one limiter for the same client, and changes nothing (${making.name})`,
    () =>
      withConn(making, (conn, limiter) => {
        const first = conn.slot;
        const second = limiter.accept(conn);
        assertThrows(() => withSlot(conn, second), TypeError, "slot must be of a limiter that has not admitted");
        assertEquals([conn.slot === first, first.released, second.released, limiter.open], [true, false, false, 2]);
        second.release();
        // Another client of the same limiter, and the same client of another.
        withSlot(withSlot(conn, limiter.accept({ key: "alice" })), new Limiter().accept(conn));
        const third = limiter.accept({ key: "alice" });
        assertThrows(() => withSlot(conn, third), TypeError, "slot must be of a limiter that has not admitted");
        third.release();
        assertEquals([...limiter.clients()].map(({ open }) => open), [1, 1]);
      }),
  );

  testUnless(
    false,
    `withSlot() refuses a refusal and a slot that is back, and changes nothing (${making.name})`,
    () =>
      withConn(making, (conn, limiter) => {
        const full = new Limiter({ maxPerClient: 0 });
        const back = limiter.accept("192.0.2.7");
        back.release();
        // deno-lint-ignore no-explicit-any
        assertThrows(() => withSlot(conn, full.tryAccept("192.0.2.7") as any), TypeError, "a refusal");
        assertThrows(() => withSlot(conn, back), TypeError, "a released one");
        // deno-lint-ignore no-explicit-any
        assertThrows(() => withSlot(conn, { admitted: true } as any), TypeError, "slot must be a slot that is held");
        assertStrictEquals(conn.slot.client, "127.0.0.1");
      }),
  );
}

testUnless(false, "withSlot() refuses what is no connection", async () => {
  const slot = new Limiter().accept("192.0.2.7");
  using listener = MAKINGS[0].native();
  // deno-lint-ignore no-explicit-any
  for (const none of [{}, [], () => {}, Object.create(null), listener] as any[]) {
    assertThrows(() => withSlot(none, slot), TypeError, "conn must be a connection");
  }
  // deno-lint-ignore no-explicit-any
  for (const [none, text] of [[undefined, "undefined"], [null, "null"], [7, "7"], ["conn", '"conn"']] as any[]) {
    assertThrows(() => withSlot(none, slot), TypeError, `conn must be a connection, got ${text}`);
  }
  assertStrictEquals(slot.released, false);
  await Promise.resolve();
});
