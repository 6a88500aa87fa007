/**
 * Every way to end a connection, and every way that does not. A closed descriptor frees the slot at once; an open one
 * holds it.
 *
 * @module
 */

import { promisify } from "node:util";
import { assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { withSlot } from "@connlimit/connlimit";
import { isOpen, pair } from "../support/deno/bound_conn.ts";
import * as endings from "../support/endings.ts";
import { drain, slotOf, stuck } from "../support/endings.ts";
import { fails } from "../support/failures.ts";
import { aWhile, within } from "../support/net.ts";
import { type Conn, withPair } from "../support/deno/bound_conn.ts";

type Usage = endings.Usage<Conn>;

const CLOSES: Readonly<Record<string, Usage>> = {
  ...endings.CLOSES,
  "[Symbol.dispose]() twice": (conn) => {
    conn[Symbol.dispose]();
    conn[Symbol.dispose]();
  },
  "close() twice, of which the second throws as Deno's does": (conn) => {
    conn.close();
    assertThrows(() => conn.close(), Deno.errors.BadResource);
  },
  "close() while a write is pending": async (conn, client) => {
    const { writing } = await stuck((data) => conn.write(data), client);
    conn.close();
    await fails(writing);
  },
  "readable read to its end, and then close(), which throws as Deno's does": async (conn, client) => {
    client.fin();
    await drain(conn.readable);
    assertThrows(() => conn.close(), Deno.errors.BadResource);
  },
  "writable.abort() while a write is stuck at a client that does not read": async (conn, client) => {
    const writer = conn.writable.getWriter();
    const { writing } = await stuck((data) => writer.write(data), client);
    await within(writer.abort(), "abort()");
    await fails(writing);
  },
  "pipeTo() aborted while a write is stuck, which it waits for, and then close()": async (conn, client) => {
    const { socket } = client;
    const abort = new AbortController();
    const pipe = conn.readable.pipeTo(conn.writable, { signal: abort.signal });
    pipe.catch(() => {});
    // Nothing more is taken from the client once nothing more can be written to it.
    await stuck((data) => promisify(socket.write).call(socket, data), client);
    abort.abort();
    await aWhile();
    assertStrictEquals(isOpen(conn), !conn.slot.released);
    conn[Symbol.dispose]();
    await within(fails(pipe), "pipeTo()");
  },
};

const STAYS_OPEN: Readonly<Record<string, Usage>> = {
  ...endings.STAYS_OPEN,
  "read() to the end without close()": async (conn, client) => {
    client.fin();
    assertStrictEquals(await conn.read(new Uint8Array(1)), null);
  },
  "read() failed by a RST without close()": async (conn, client) => {
    client.reset();
    await assertRejects(() => conn.read(new Uint8Array(1)), Deno.errors.ConnectionReset);
  },
  "the client's RST, with nobody reading": (_, client) => client.reset(),
  "startTls() with a host name that is none": (conn) =>
    assertRejects(() => Deno.startTls(conn, { hostname: "not a name" }), TypeError),
};

for (const [name, use] of Object.entries(CLOSES)) {
  Deno.test(`withSlot() frees the slot at once: ${name}`, () =>
    withPair(async (conn, client, limiter) => {
      await use(conn, client);
      assertStrictEquals(isOpen(conn), false);
      assertStrictEquals(conn.slot.released, true);
      assertStrictEquals(limiter.open, 0);
    }));
}

for (const [name, use] of Object.entries(STAYS_OPEN)) {
  Deno.test(`withSlot() holds the slot: ${name}`, () =>
    withPair(async (conn, client, limiter) => {
      await use(conn, client);
      await aWhile();
      assertStrictEquals(isOpen(conn), true);
      assertStrictEquals(conn.slot.released, false);
      assertStrictEquals(limiter.open, 1);
    }));
}

Deno.test("withSlot() frees after the descriptor is closed, not before", async () => {
  for (const end of [CLOSES["close()"]!, CLOSES["using"]!, CLOSES["readable.cancel()"]!, CLOSES["writable.abort()"]!]) {
    const [client, accepted] = await pair();
    using _ = client;
    let openAtRelease: boolean | undefined;
    const slot = slotOf(() => void (openAtRelease = isOpen(accepted)));
    await end(withSlot(accepted, slot) as Conn, client);
    assertStrictEquals(openAtRelease, false);
  }
});
