/**
 * An open connection of Bun's reads, writes, and reports its errors and addresses.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter, withSlot } from "@connlimit/connlimit";
import { bindSlot } from "../../src/deno/bind_slot.ts";
import { Canary } from "../support/canary.ts";
import { drain } from "../support/endings.ts";
import { nameOfError } from "../support/failures.ts";
import { aWhile, ended, eventually, within } from "../support/net.ts";
import { withPair } from "../support/bun/socket_conn_pair.ts";
import { readText } from "../support/text.ts";
import { connect, KINDS, PLAIN, TLS } from "../support/bun/kinds.ts";
import { limited } from "../support/bun/limited.ts";
import { testSockets as test } from "../support/bun/test_sockets.ts";
import { bytes } from "../support/text.ts";

for (const kind of KINDS) {
  test(`SocketConn.read() reads in order, whoever asks first, in parts and at once (${kind.name})`, () =>
    withPair(kind, async ({ conn, client: { socket } }) => {
      const early = [readText(conn, 3), readText(conn, 3), readText(conn, 3)];
      socket.write("abcdefgh");
      assertEquals(await Promise.all(early.slice(0, 2)), ["abc", "def"]);
      assertStrictEquals(await early[2], "gh");
      socket.write("0123456789");
      assertEquals([await readText(conn, 1), await readText(conn, 4), await readText(conn, 16)], [
        "0",
        "1234",
        "56789",
      ]);
      assertStrictEquals(await conn.read(new Uint8Array(0)), 0);
      const late = readText(conn);
      socket.write("z");
      assertStrictEquals(await late, "z");
    }));

  test(`SocketConn.write() writes in order, whatever waits (${kind.name})`, () =>
    withPair(kind, async ({ conn, client, isOpen }) => {
      client.socket.pause();
      // More than the kernel has room for, so that most of it waits; each write may be taken in part.
      const writes = [1, 2, 3, 4].map((fill) => conn.write(new Uint8Array(8 << 20).fill(fill)));
      const empty = conn.write(new Uint8Array(0));
      const end = conn.closeWrite();
      const late = nameOfError(conn.write(bytes("late")));
      const runs: [fill: number, length: number][] = [];
      client.socket.on("data", (chunk: Uint8Array) => {
        for (const byte of chunk) {
          if (runs.at(-1)?.[0] !== byte) runs.push([byte, 0]);
          runs.at(-1)![1]++;
        }
      });
      client.socket.resume();
      const counts = await Promise.all(writes);
      assertEquals([await empty, await end, await late], [0, undefined, "BrokenPipe"]);
      await within(new Promise((resolve) => client.socket.on("end", resolve)), "the end");
      assertEquals(runs, counts.map((count, index) => [index + 1, count]));
      // The client has ended its side, too, as Node's sockets do when they see the end.
      assertStrictEquals(await readText(conn), null);
      assertStrictEquals(isOpen(), !conn.slot.released);
    }));

  test(`SocketConn.closeWrite() leaves the connection open for reading (${kind.name})`, () =>
    withPair(kind, async ({ conn, client, isOpen }) => {
      const { socket } = client;
      socket.allowHalfOpen = true;
      const end = new Promise((resolve) => socket.once("end", resolve));
      socket.resume();
      await conn.write(bytes("last words"));
      await conn.closeWrite();
      assertStrictEquals(await nameOfError(conn.write(bytes("more"))), "BrokenPipe");
      await within(end, "the end");
      socket.write("an answer");
      assertStrictEquals(await readText(conn), "an answer");
      assertStrictEquals(isOpen(), true);
      socket.end("the last one");
      assertEquals([await readText(conn), await readText(conn)], ["the last one", null]);
    }));

  test(`SocketConn rejects with errors that are named as Deno's (${kind.name})`, () =>
    withPair(kind, async ({ conn, client }) => {
      const read = () => nameOfError(conn.read(new Uint8Array(1)));
      const write = () => nameOfError(conn.write(new Uint8Array(1)));
      const pending = [read(), read()];
      client.reset();
      assertEquals(await Promise.all(pending), ["ConnectionReset", "ConnectionReset"]);
      assertEquals([await read(), await write()], ["ConnectionReset", "ConnectionReset"]);
      conn.close();
      assertEquals([await read(), await write()], ["BadResource", "BadResource"]);
      assertStrictEquals(await nameOfError(conn.closeWrite()), "BadResource");
      assertStrictEquals(await nameOfError(drain(conn.readable)), "BadResource");
    }));

  test(`SocketConn.remoteAddr and localAddr are both of its addresses (${kind.name})`, () =>
    withPair(kind, ({ conn, client: { socket } }) => {
      const { remoteAddr, localAddr } = conn;
      assertEquals(remoteAddr, { transport: "tcp", hostname: "127.0.0.1", port: socket.localPort! });
      assertEquals(localAddr, { transport: "tcp", hostname: "127.0.0.1", port: socket.remotePort! });
      conn.close();
      assertEquals([conn.remoteAddr, conn.localAddr], [remoteAddr, localAddr]);
    }));

  test(`SocketConn carries the slots of several limiters (${kind.name})`, () =>
    withPair(kind, async ({ conn, limiter, isOpen }) => {
      const accounts = new Limiter({ maxPerClient: Infinity });
      const { readable, slot } = conn;
      assertStrictEquals(withSlot(conn, accounts.accept({ key: "alice" })), conn);
      assertStrictEquals(conn.slot.client, "alice");
      assertStrictEquals(conn.readable, readable);
      for (let i = 0; i < 20_000; i++) bindSlot(conn, accounts.accept({ key: "bob" }), undefined);
      assertEquals([limiter.open, accounts.open, slot.released], [1, 20_001, false]);
      await conn.readable.cancel();
      assertEquals([isOpen(), limiter.open, accounts.open, slot.released], [false, 0, 0, true]);
      // It is too late for one more.
      assertStrictEquals(withSlot(conn, accounts.accept({ key: "alice" })).slot.released, true);
      assertStrictEquals(accounts.open, 0);
    }));
}

test("SocketConn.localAddr of a closed connection is empty unless it was read before", () =>
  withPair(PLAIN, ({ conn }) => {
    conn.close();
    assertEquals(conn.localAddr, { transport: "tcp", hostname: "", port: 0 });
  }));

test("SocketConn.read() finds the end of a client that left long before", async () => {
  for (const kind of KINDS) {
    await withPair(kind, async ({ conn, client }) => {
      client.socket.end("some words");
      await aWhile();
      assertEquals([await readText(conn), await readText(conn)], ["some words", null], kind.name);
    });
  }
});

test("SocketConn that is not half-open answers a client that ends right behind its request", () =>
  withPair({ ...PLAIN, halfOpen: false }, async ({ conn, client }) => {
    client.socket.end("a request");
    assertStrictEquals(await readText(conn), "a request");
    await aWhile();
    assertStrictEquals(await conn.write(bytes("an answer")), 9);
    conn.close();
    assertStrictEquals(await ended(client), "an answer");
  }));

test("SocketConn that everybody has dropped holds its slot until it is closed, and its streams go on", async () => {
  for (const kind of [PLAIN, TLS]) {
    const limiter = new Limiter();
    using listener = limited(kind, limiter);
    const clients = [await connect(kind, listener.addr.port), await connect(kind, listener.addr.port)] as const;
    const canary = new Canary();
    const readable = await (async () => {
      await listener.accept();
      canary.drop();
      return (await listener.accept()).readable;
    })();
    await canary.collected();
    assertStrictEquals(limiter.open, 2);
    clients[0].reset();
    await eventually(() => limiter.open === 1, "the first slot to be free");
    clients[1].socket.end("still here");
    assertStrictEquals(await new Response(readable).text(), "still here");
    assertStrictEquals(limiter.open, 0);
    await ended(clients[1]);
  }
});
