/**
 * Every way to end a connection of Bun's, and every way that does not. A closed descriptor frees the slot; an open one
 * holds it.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { withSlot } from "@connlimit/connlimit";
import * as endings from "../support/endings.ts";
import { drain, slotOf, stuck } from "../support/endings.ts";
import { fails, nameOfError } from "../support/failures.ts";
import { aWhile, eventually, within } from "../support/net.ts";
import { withPair } from "../support/bun/socket_conn_pair.ts";
import { readText } from "../support/text.ts";
import { KINDS } from "../support/bun/kinds.ts";
import type { Conn } from "../support/bun/limited.ts";
import { testSockets as test } from "../support/bun/test_sockets.ts";
import { bytes } from "../support/text.ts";

type Usage = endings.Usage<Conn>;

const CLOSES: Readonly<Record<string, Usage>> = {
  ...endings.CLOSES,
  "close() twice": (conn) => {
    conn.close();
    conn.close();
    conn[Symbol.dispose]();
  },
  "close() with data that nobody has read": async (conn, { socket }) => {
    socket.write("unread");
    await aWhile();
    conn.close();
  },
  "close() with data that was read in part": async (conn, { socket }) => {
    socket.write("read in part");
    assertStrictEquals(await conn.read(new Uint8Array(4)), 4);
    conn.close();
  },
  "close() after the client's FIN, which nobody has read": async (conn, client) => {
    client.fin();
    await aWhile();
    conn.close();
  },
  "read() to the end, and then close()": async (conn, { socket }) => {
    socket.end("four");
    assertStrictEquals(await readText(conn), "four");
    assertStrictEquals(await readText(conn), null);
    conn.close();
  },
  "read() failed by a RST": async (conn, client) => {
    client.reset();
    assertStrictEquals(await nameOfError(conn.read(new Uint8Array(1))), "ConnectionReset");
  },
  "readable.tee(), both read to the end": async (conn, { socket }) => {
    socket.end("four");
    assertEquals(await Promise.all(conn.readable.tee().map(drain)), [4, 4]);
  },
  "writable given what it cannot take": async (conn) => {
    const writer = (conn.writable as WritableStream<unknown>).getWriter();
    assertStrictEquals(await nameOfError(writer.write("text")), "TypeError");
  },
};

/** What makes Bun close the connection without being asked to: on Deno it would stay open. */
const CLOSES_BY_ITSELF: Readonly<Record<string, Usage>> = {
  "the client's RST, with nobody reading": (_, client) => client.reset(),
  "the client's RST, with data that nobody has read": async (_, client) => {
    client.socket.write("unread");
    await aWhile();
    client.reset();
  },
  "the client's RST after its end was read": async (conn, client) => {
    client.fin();
    await readText(conn);
    client.reset();
  },
};

const STAYS_OPEN: Readonly<Record<string, Usage>> = {
  ...endings.STAYS_OPEN,
  "the client's data and FIN, with nobody reading": async (_, { socket }) => {
    await aWhile();
    socket.end("unread");
  },
  "the client's FIN behind data, of which only a part was read": async (conn, { socket }) => {
    socket.write("read in part");
    assertStrictEquals(await conn.read(new Uint8Array(4)), 4);
    socket.end();
  },
  "data sent and read both ways": async (conn, { socket }) => {
    socket.write("ping");
    assertStrictEquals(await readText(conn), "ping");
    assertStrictEquals(await conn.write(bytes("pong")), 4);
  },
};

for (const kind of KINDS) {
  for (const [name, use] of Object.entries(CLOSES)) {
    test(`SocketConn frees its slot at once (${kind.name}): ${name}`, () =>
      withPair(kind, async ({ conn, client, limiter, isOpen }) => {
        assertStrictEquals(isOpen(), true);
        await use(conn, client);
        assertEquals([isOpen(), conn.slot.released, limiter.open], [false, true, 0]);
      }));
  }

  for (const [name, use] of Object.entries(CLOSES_BY_ITSELF)) {
    test(`SocketConn frees its slot by itself (${kind.name}): ${name}`, () =>
      withPair(kind, async ({ conn, client, limiter, isOpen }) => {
        await use(conn, client);
        await eventually(() => !isOpen(), "the descriptor to be closed");
        assertEquals([conn.slot.released, limiter.open], [true, 0]);
      }));
  }

  for (const [name, use] of Object.entries(STAYS_OPEN)) {
    test(`SocketConn holds its slot (${kind.name}): ${name}`, () =>
      withPair(kind, async ({ conn, client, limiter, isOpen }) => {
        await use(conn, client);
        await aWhile();
        assertEquals([isOpen(), conn.slot.released, limiter.open], [true, false, 1]);
      }));
  }

  test(`SocketConn.read() of the client's end leaves the connection open where it may be half-open (${kind.name})`, () =>
    withPair(kind, async ({ conn, client, isOpen }) => {
      client.socket.end("four");
      assertEquals([await readText(conn), await readText(conn), await readText(conn)], ["four", null, null]);
      await aWhile();
      assertEquals([isOpen(), !conn.slot.released], [kind.halfOpen, kind.halfOpen]);
    }));

  test(`SocketConn frees its slot after the descriptor is closed, not before (${kind.name})`, async () => {
    for (const name of ["close()", "using", "readable.cancel()", "writable.abort()", "read() failed by a RST"]) {
      await withPair(kind, async ({ conn, client, isOpen }) => {
        const openAtRelease: boolean[] = [];
        const slot = slotOf(() => void openAtRelease.push(isOpen()));
        await CLOSES[name]!(withSlot(conn, slot), client);
        assertEquals(openAtRelease, [false], name);
      });
    }
  });

  test(`SocketConn.close(), cancel() and a RST end a write that is stuck (${kind.name})`, async () => {
    const ways: Record<string, [write: (conn: Conn) => (data: Uint8Array) => Promise<unknown>, end: Usage]> = {
      "close()": [(conn) => (data) => conn.write(data), (conn) => conn.close()],
      "readable.cancel()": [(conn) => (data) => conn.write(data), (conn) => conn.readable.cancel()],
      "the client's RST": [(conn) => (data) => conn.write(data), (_, client) => client.reset()],
    };
    for (const [name, [write, end]] of Object.entries(ways)) {
      await withPair(kind, async ({ conn, client, isOpen }) => {
        const { writing } = await stuck(write(conn), client);
        await end(conn, client);
        const expected = name === "the client's RST" ? "ConnectionReset" : "Interrupted";
        assertStrictEquals(await within(nameOfError(writing), name), expected);
        assertStrictEquals(isOpen(), !conn.slot.released);
      });
    }
  });

  test(`SocketConn.writable.abort() closes a connection whose write is stuck (${kind.name})`, () =>
    withPair(kind, async ({ conn, client, isOpen }) => {
      const writer = conn.writable.getWriter();
      const { writing } = await stuck((data) => writer.write(data), client);
      await within(writer.abort(), "abort()");
      await fails(writing);
      assertStrictEquals(isOpen(), !conn.slot.released);
    }));
}
