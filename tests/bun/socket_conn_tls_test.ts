/**
 * TLS connections of Bun's: before the handshake is done, and while they close.
 *
 * @module
 */

import { jest } from "bun:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { nameOfError } from "../support/failures.ts";
import { aWhile, type Client, connectFrom, ended, eventually } from "../support/net.ts";
import { type Pair, withPair } from "../support/bun/socket_conn_pair.ts";
import { stuff } from "../support/bun/socket_of.ts";
import { connect, type Kind, KINDS } from "../support/bun/kinds.ts";
import { limited } from "../support/bun/limited.ts";
import { testSockets as test } from "../support/bun/test_sockets.ts";
import { bytes } from "../support/text.ts";

/** Connects to a TLS listener without saying anything. */
const silently = (_: Kind, port: number) => connectFrom("127.0.0.1", port);

/** Milliseconds from one attempt to send what is left to the next. */
const ATTEMPT = 250;

for (const kind of KINDS.filter(({ tls }) => tls)) {
  test(`SocketConn holds its slot while the client is silent in the handshake, until it is closed (${kind.name})`, () =>
    withPair(kind, async ({ conn, limiter, isOpen }) => {
      await aWhile();
      assertEquals([isOpen(), limiter.open], [true, 1]);
      const pending = [conn.read(new Uint8Array(1)), conn.write(new Uint8Array(1)), conn.closeWrite()];
      const names = pending.map(nameOfError);
      conn.close();
      assertEquals([isOpen(), conn.slot.released], [false, true]);
      assertEquals(await Promise.all(names), ["Interrupted", "Interrupted", "Interrupted"]);
    }, silently));

  const partings: Record<string, (client: Client) => void> = {
    "the client's FIN": (client) => client.fin(),
    "the client's RST": (client) => client.reset(),
    "garbage": ({ socket }) => void socket.write("GET / HTTP/1.1\r\n\r\n"),
    "half of a hello": ({ socket }) => void socket.end(new Uint8Array([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3])),
  };
  for (const [name, part] of Object.entries(partings)) {
    test(`SocketConn frees its slot when the handshake fails (${kind.name}): ${name}`, () =>
      withPair(kind, async ({ conn, client, isOpen }) => {
        const pending = [conn.read(new Uint8Array(1)), conn.write(new Uint8Array(1)), conn.closeWrite()];
        const names = pending.map(nameOfError);
        part(client);
        await eventually(() => !isOpen(), "the descriptor to be closed");
        assertStrictEquals(conn.slot.released, true);
        const reason = name === "the client's RST" ? "ConnectionReset" : "InvalidData";
        assertEquals(await Promise.all(names), [reason, reason, reason]);
      }, silently));
  }

  test(`SocketConn takes writes before the handshake is done (${kind.name})`, async () => {
    using listener = limited(kind);
    const connecting = connect(kind, listener.addr.port);
    using conn = await listener.accept();
    const write = conn.write(bytes("hello"));
    using client = await connecting;
    assertStrictEquals(await write, 5);
    conn.close();
    assertStrictEquals(await ended(client), "hello");
  });

  /** Closes a connection that has sent its client, who does not read, as much as there is room for. */
  const withStuck = (use: (pair: Pair, written: number) => Promise<void>): Promise<void> =>
    withPair(kind, async (pair) => {
      const { conn, client, isOpen } = pair;
      client.socket.pause();
      // Until there is nothing left of the handshake.
      await conn.write(new Uint8Array(1));
      await aWhile();
      const written = 1 + await stuff(conn);
      jest.useFakeTimers();
      try {
        const pending = nameOfError(conn.write(new Uint8Array(1)));
        conn.close();
        assertEquals([isOpen(), conn.slot.released, await pending], [true, false, "Interrupted"]);
        await use(pair, written);
      } finally {
        jest.useRealTimers();
      }
      await eventually(() => !isOpen(), "the descriptor to be closed");
      assertStrictEquals(conn.slot.released, true);
    });

  test(`SocketConn.close() still sends what was written, and holds its slot until then (${kind.name})`, () =>
    withStuck(async ({ client: { socket } }, written) => {
      let received = 0;
      socket.on("data", ({ length }: Uint8Array) => received += length);
      socket.resume();
      await new Promise((resolve) => socket.once("close", resolve));
      assertStrictEquals(received, written);
    }));

  test(`SocketConn.close() sends the rest once the client has taken a little (${kind.name})`, () =>
    withStuck(async ({ client: { socket }, isOpen }, written) => {
      const closed = new Promise((resolve) => socket.once("close", resolve));
      let received = 0;
      await new Promise<void>((resolve) => {
        socket.on("data", ({ length }: Uint8Array) => {
          received += length;
          // Far less than the third of the send buffer after which Bun sends more by itself.
          if (received < 1 << 18) return;
          socket.pause();
          resolve();
        });
        socket.resume();
      });
      for (let waited = 0; isOpen() && waited < 9_000; waited += ATTEMPT) {
        jest.advanceTimersByTime(ATTEMPT);
        await new Promise((resolve) => setImmediate(resolve));
      }
      assertStrictEquals(isOpen(), false);
      socket.removeAllListeners("data").on("data", ({ length }: Uint8Array) => received += length).resume();
      await closed;
      assertStrictEquals(received, written);
    }));

  const ends: Record<string, (client: Client) => void> = {
    "after ten seconds": () => void jest.advanceTimersByTime(1),
    "by the client's RST": (client) => client.reset(),
  };
  for (const [name, end] of Object.entries(ends)) {
    test(`SocketConn.close() of a connection that is stuck ends it ${name} (${kind.name})`, () =>
      withStuck(async ({ conn, client, isOpen }) => {
        jest.advanceTimersByTime(9_999);
        assertEquals([isOpen(), conn.slot.released], [true, false]);
        end(client);
        await Promise.resolve();
      }));
  }
}
