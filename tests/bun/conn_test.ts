/**
 * Every way to end a connection of Bun's, or not to: where the descriptor is closed the slot is free, and where it stays
 * open the slot stays held.
 *
 * @module
 */

import { Duplex } from "node:stream";
import { jest } from "bun:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter, type Slot, withSlot } from "@connlimit/connlimit";
import { type Client, connectFrom, ended, eventually, openSockets, within } from "../support/net.ts";
import { findSockets } from "../support/platform.ts";
import {
  aWhile,
  type Conn,
  connect,
  type IsOpen,
  type Kind,
  KINDS,
  limited,
  nameOfError,
  PLAIN,
  served,
  testSockets as test,
  TLS,
} from "./support.ts";

interface Pair {
  readonly conn: Conn;
  readonly client: Client;
  readonly limiter: Limiter;
  /** Whether the server's descriptor is open. */
  readonly isOpen: IsOpen;
}

/** An admitted connection with its client, and a check that nothing of them is left. */
async function withPair(kind: Kind, use: (pair: Pair) => unknown, connectAs = connect): Promise<void> {
  const before = openSockets();
  const limiter = new Limiter();
  {
    using listener = limited(kind, limiter);
    const others = findSockets();
    const [client, accepted] = await Promise.all([connectAs(kind, listener.addr.port), listener.accept()]);
    using _ = client;
    using conn = accepted;
    await use({ conn, client, limiter, isOpen: served(others, client) });
  }
  await eventually(() => limiter.open === 0, "the slot to be free");
  await eventually(() => openSockets() === before, "every socket to be closed");
}

/** What is done with a connection. */
type Usage = (conn: Conn, client: Client) => unknown;

/** Fails on purpose when awaited, as is expected of it. */
const fails = (promise: Promise<unknown>) => promise.then(() => Promise.reject(new Error("it did not fail")), () => {});

const bytes = (text: string) => new TextEncoder().encode(text);

async function drain(readable: ReadableStream<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of readable) bytes += chunk.length;
  return bytes;
}

/** Reads into a small buffer. Resolves to the text. */
async function readText(conn: Conn, size = 16): Promise<string | null> {
  const buffer = new Uint8Array(size);
  const count = await conn.read(buffer);
  return count === null ? null : new TextDecoder().decode(buffer.subarray(0, count));
}

/** Writes until the client, who does not read, takes no more. Resolves with the writing, which is stuck. */
async function stuck(write: (data: Uint8Array) => Promise<unknown>, { socket }: Client) {
  socket.pause();
  let count = 0;
  const writing = (async () => {
    for (;; count++) await write(new Uint8Array(1 << 20));
  })();
  writing.catch(() => {});
  for (let seen = -1; seen !== count;) {
    seen = count;
    await aWhile();
  }
  return { writing };
}

const CLOSES: Readonly<Record<string, Usage>> = {
  "close()": (conn) => conn.close(),
  "using": (conn) => {
    using _ = conn;
  },
  "close() twice": (conn) => {
    conn.close();
    conn.close();
    conn[Symbol.dispose]();
  },
  "close() while a read is pending": async (conn) => {
    const read = conn.read(new Uint8Array(1));
    conn.close();
    assertStrictEquals(await nameOfError(read), "Interrupted");
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
  "closeWrite() and then close()": async (conn) => {
    await conn.closeWrite();
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

  "readable read to its end by for await": async (conn, { socket }) => {
    socket.end("four");
    assertStrictEquals(await drain(conn.readable), 4);
  },
  "readable read to its end by a reader": async (conn, { socket }) => {
    socket.end("four");
    const reader = conn.readable.getReader();
    while (!(await reader.read()).done);
  },
  "readable read to its end by a BYOB reader": async (conn, { socket }) => {
    socket.end("four");
    const reader = conn.readable.getReader({ mode: "byob" });
    let text = "";
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(3));
      if (done) break;
      text += new TextDecoder().decode(value);
    }
    assertStrictEquals(text, "four");
  },
  "readable read to its end by a Response": async (conn, { socket }) => {
    socket.end("four");
    assertStrictEquals(await new Response(conn.readable).text(), "four");
  },
  "readable read to its end through a TextDecoderStream": async (conn, { socket }) => {
    socket.end("four");
    let text = "";
    for await (const chunk of conn.readable.pipeThrough(new TextDecoderStream())) text += chunk;
    assertStrictEquals(text, "four");
  },
  "readable left by break": async (conn, { socket }) => {
    socket.write("four");
    for await (const chunk of conn.readable) {
      assertStrictEquals(chunk.constructor, Uint8Array);
      break;
    }
  },
  "readable.cancel()": (conn) => conn.readable.cancel(),
  "readable.cancel() while a read is pending": async (conn) => {
    const reader = conn.readable.getReader();
    const read = reader.read();
    await reader.cancel();
    assertStrictEquals((await read).done, true);
  },
  "readable.tee(), both cancelled": async (conn) => {
    const [one, other] = conn.readable.tee();
    await Promise.all([one.cancel(), other.cancel()]);
  },
  "readable.tee(), both read to the end": async (conn, { socket }) => {
    socket.end("four");
    assertEquals(await Promise.all(conn.readable.tee().map(drain)), [4, 4]);
  },
  "readable failed by a RST": async (conn, client) => {
    client.reset();
    assertStrictEquals(await nameOfError(drain(conn.readable)), "ConnectionReset");
  },

  "writable.close()": (conn) => conn.writable.close(),
  "writable.abort()": (conn) => conn.writable.abort(),
  "writable failed by a RST": async (conn, client) => {
    const writer = conn.writable.getWriter();
    client.reset();
    await fails((async () => {
      for (;;) await writer.write(new Uint8Array(1 << 16));
    })());
  },
  "writable given what it cannot take": async (conn) => {
    const writer = (conn.writable as WritableStream<unknown>).getWriter();
    assertStrictEquals(await nameOfError(writer.write("text")), "TypeError");
  },

  "pipeTo() after the client's FIN": async (conn, client) => {
    client.socket.end("echo");
    await conn.readable.pipeTo(conn.writable);
    assertStrictEquals(await ended(client), "echo");
  },
  "pipeTo() after the client's RST": async (conn, client) => {
    const pipe = conn.readable.pipeTo(conn.writable);
    client.reset();
    await fails(pipe);
  },
  "pipeTo() aborted by a signal": async (conn) => {
    const abort = new AbortController();
    const pipe = conn.readable.pipeTo(conn.writable, { signal: abort.signal });
    abort.abort();
    await fails(pipe);
  },
  "pipeTo() with preventClose, preventAbort and preventCancel after the client's FIN": async (conn, client) => {
    const pipe = conn.readable.pipeTo(conn.writable, { preventClose: true, preventAbort: true, preventCancel: true });
    client.fin();
    await pipe;
  },

  "Duplex.fromWeb() after the client's FIN": async (conn, client) => {
    const duplex = Duplex.fromWeb(conn as never);
    duplex.resume();
    client.fin();
    await new Promise((resolve) => duplex.on("close", resolve));
  },
  "Duplex.fromWeb() after the client's RST": async (conn, client) => {
    const duplex = Duplex.fromWeb(conn as never);
    duplex.resume();
    duplex.on("error", () => {});
    client.reset();
    await new Promise((resolve) => duplex.on("close", resolve));
  },
  "Duplex.fromWeb() destroyed": async (conn) => {
    const duplex = Duplex.fromWeb(conn as never);
    duplex.on("error", () => {});
    duplex.destroy();
    await new Promise((resolve) => duplex.on("close", resolve));
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
  "nothing at all": () => {},
  "the client's FIN, with nobody reading": async (_, client) => {
    // TLS reads for the handshake, and if the client is quick it sees the end then.
    await aWhile();
    client.fin();
  },
  "the client's data and FIN, with nobody reading": async (_, { socket }) => {
    await aWhile();
    socket.end("unread");
  },
  "the client's FIN behind data, of which only a part was read": async (conn, { socket }) => {
    socket.write("read in part");
    assertStrictEquals(await conn.read(new Uint8Array(4)), 4);
    socket.end();
  },
  "closeWrite()": (conn) => conn.closeWrite(),
  "readable and writable touched": (conn) => [conn.readable, conn.writable],
  "getReader() and releaseLock()": (conn) => conn.readable.getReader().releaseLock(),
  "one branch of tee() cancelled": (conn) => void conn.readable.tee()[0].cancel(),
  "data sent and read both ways": async (conn, { socket }) => {
    socket.write("ping");
    assertStrictEquals(await readText(conn), "ping");
    assertStrictEquals(await conn.write(bytes("pong")), 4);
  },
};

for (const kind of KINDS) {
  for (const [name, use] of Object.entries(CLOSES)) {
    test(`A Bun connection frees its slot at once (${kind.name}): ${name}`, () =>
      withPair(kind, async ({ conn, client, limiter, isOpen }) => {
        assertStrictEquals(isOpen(), true);
        await use(conn, client);
        assertEquals([isOpen(), conn.slot.released, limiter.open], [false, true, 0]);
      }));
  }

  for (const [name, use] of Object.entries(CLOSES_BY_ITSELF)) {
    test(`A Bun connection frees its slot by itself (${kind.name}): ${name}`, () =>
      withPair(kind, async ({ conn, client, limiter, isOpen }) => {
        await use(conn, client);
        await eventually(() => !isOpen(), "the descriptor to be closed");
        assertEquals([conn.slot.released, limiter.open], [true, 0]);
      }));
  }

  for (const [name, use] of Object.entries(STAYS_OPEN)) {
    test(`A Bun connection holds its slot (${kind.name}): ${name}`, () =>
      withPair(kind, async ({ conn, client, limiter, isOpen }) => {
        await use(conn, client);
        await aWhile();
        assertEquals([isOpen(), conn.slot.released, limiter.open], [true, false, 1]);
      }));
  }

  test(`A Bun connection whose client's end was read by read() stays open where it may be half-open (${kind.name})`, () =>
    withPair(kind, async ({ conn, client, isOpen }) => {
      client.socket.end("four");
      assertEquals([await readText(conn), await readText(conn), await readText(conn)], ["four", null, null]);
      await aWhile();
      assertEquals([isOpen(), !conn.slot.released], [kind.halfOpen, kind.halfOpen]);
    }));

  test(`A Bun connection frees after the descriptor is closed, not before (${kind.name})`, async () => {
    for (const name of ["close()", "using", "readable.cancel()", "writable.abort()", "read() failed by a RST"]) {
      await withPair(kind, async ({ conn, client, isOpen }) => {
        const openAtRelease: boolean[] = [];
        const slot: Slot = {
          admitted: true,
          client: "a client",
          released: false,
          release: () => void openAtRelease.push(isOpen()),
          [Symbol.dispose]() {},
        };
        await CLOSES[name]!(withSlot(conn, slot), client);
        assertEquals(openAtRelease, [false], name);
      });
    }
  });

  test(`A Bun connection reads in order, whoever asks first, in parts and at once (${kind.name})`, () =>
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

  test(`A Bun connection writes in order, whatever waits (${kind.name})`, () =>
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

  test(`A Bun connection can be closed for writing and read on (${kind.name})`, () =>
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

  test(`A Bun connection tells by Deno's errors what is the matter with it (${kind.name})`, () =>
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

  test(`A Bun connection knows both its addresses (${kind.name})`, () =>
    withPair(kind, ({ conn, client: { socket } }) => {
      const { remoteAddr, localAddr } = conn;
      assertEquals(remoteAddr, { transport: "tcp", hostname: "127.0.0.1", port: socket.localPort! });
      assertEquals(localAddr, { transport: "tcp", hostname: "127.0.0.1", port: socket.remotePort! });
      conn.close();
      assertEquals([conn.remoteAddr, conn.localAddr], [remoteAddr, localAddr]);
    }));

  test(`A Bun connection that is stuck in a write is closed all the same (${kind.name})`, async () => {
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

  test(`A Bun connection whose stream is stuck in a write is closed by abort() (${kind.name})`, () =>
    withPair(kind, async ({ conn, client, isOpen }) => {
      const writer = conn.writable.getWriter();
      const { writing } = await stuck((data) => writer.write(data), client);
      await within(writer.abort(), "abort()");
      await fails(writing);
      assertStrictEquals(isOpen(), !conn.slot.released);
    }));

  test(`A Bun connection carries the slots of several limiters (${kind.name})`, () =>
    withPair(kind, async ({ conn, limiter, isOpen }) => {
      const accounts = new Limiter({ maxPerClient: Infinity });
      const { readable, slot } = conn;
      assertStrictEquals(withSlot(conn, accounts.accept({ key: "alice" })), conn);
      assertStrictEquals(conn.slot.client, "alice");
      assertStrictEquals(conn.readable, readable);
      for (let i = 0; i < 20_000; i++) withSlot(conn, accounts.accept({ key: "bob" }));
      assertEquals([limiter.open, accounts.open, slot.released], [1, 20_001, false]);
      await conn.readable.cancel();
      assertEquals([isOpen(), limiter.open, accounts.open, slot.released], [false, 0, 0, true]);
      // It is too late for one more.
      assertStrictEquals(withSlot(conn, accounts.accept({ key: "alice" })).slot.released, true);
      assertStrictEquals(accounts.open, 0);
    }));
}

test("A Bun connection that is closed has a local address only if it was asked for before", () =>
  withPair(PLAIN, ({ conn }) => {
    conn.close();
    assertEquals(conn.localAddr, { transport: "tcp", hostname: "", port: 0 });
  }));

test("A Bun connection is found to be ended by its client when it is read after all", async () => {
  for (const kind of KINDS) {
    await withPair(kind, async ({ conn, client }) => {
      client.socket.end("some words");
      await aWhile();
      assertEquals([await readText(conn), await readText(conn)], ["some words", null], kind.name);
    });
  }
});

test("A Bun connection that is not half-open answers a client that ends right behind its request", () =>
  withPair({ ...PLAIN, halfOpen: false }, async ({ conn, client }) => {
    client.socket.end("a request");
    assertStrictEquals(await readText(conn), "a request");
    await aWhile();
    assertStrictEquals(await conn.write(bytes("an answer")), 9);
    conn.close();
    assertStrictEquals(await ended(client), "an answer");
  }));

test("A Bun connection that everybody has dropped holds its slot until it is closed, and its streams go on", async () => {
  for (const kind of [PLAIN, TLS]) {
    const limiter = new Limiter();
    using listener = limited(kind, limiter);
    const clients = [await connect(kind, listener.addr.port), await connect(kind, listener.addr.port)] as const;
    const collected = new Set<string>();
    const registry = new FinalizationRegistry<string>((name) => collected.add(name));
    const readable = await (async () => {
      await listener.accept();
      registry.register({}, "canary");
      return (await listener.accept()).readable;
    })();
    await eventually(() => {
      Bun.gc(true);
      return collected.has("canary");
    }, "a garbage collection");
    assertStrictEquals(limiter.open, 2);
    clients[0].reset();
    await eventually(() => limiter.open === 1, "the first slot to be free");
    clients[1].socket.end("still here");
    assertStrictEquals(await new Response(readable).text(), "still here");
    assertStrictEquals(limiter.open, 0);
    await ended(clients[1]);
  }
});

/** Connects to a TLS listener without saying anything. */
const silently = (_: Kind, port: number) => connectFrom("127.0.0.1", port);

for (const kind of KINDS.filter(({ tls }) => tls)) {
  test(`A Bun connection whose client is silent in the handshake holds its slot until it is closed (${kind.name})`, () =>
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
    test(`A Bun connection frees its slot when the handshake fails (${kind.name}): ${name}`, () =>
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

  test(`A Bun connection takes writes before the handshake is done (${kind.name})`, async () => {
    using listener = limited(kind);
    const connecting = connect(kind, listener.addr.port);
    using conn = await listener.accept();
    const write = conn.write(bytes("hello"));
    using client = await connecting;
    assertStrictEquals(await write, 5);
    conn.close();
    assertStrictEquals(await ended(client), "hello");
  });

  /**
   * Closes a connection that has sent its client, who does not read, more than there is room for. Where all of it has come
   * to lie in the kernel after all, Bun closes at once, and another one is tried.
   */
  const withStuck = async (use: (pair: Pair, written: Promise<number>) => Promise<void>): Promise<void> => {
    let attempts = 0;
    for (let isStuck = false; !isStuck;) {
      if (++attempts > 20) throw new Error("no connection got stuck");
      await withPair(kind, async (pair) => {
        const { conn, client, isOpen } = pair;
        client.socket.pause();
        // Until there is nothing left of the handshake.
        await conn.write(new Uint8Array(1));
        await aWhile();
        jest.useFakeTimers();
        try {
          const writes = Array.from({ length: 1_000 }, () => conn.write(new Uint8Array(1 << 14)).catch(() => 0));
          conn.close();
          isStuck = isOpen();
          assertStrictEquals(conn.slot.released, !isStuck);
          if (isStuck) {
            await use(
              pair,
              Promise.all(writes).then((counts) => counts.reduce((sum, count) => sum + count, 1)),
            );
          }
        } finally {
          jest.useRealTimers();
        }
        await eventually(() => !isOpen(), "the descriptor to be closed");
        assertStrictEquals(conn.slot.released, true);
      });
    }
  };

  test(`A Bun connection that is closed still sends what was written, and holds its slot until then (${kind.name})`, () =>
    withStuck(async ({ client: { socket } }, written) => {
      let received = 0;
      socket.on("data", ({ length }: Uint8Array) => received += length);
      socket.resume();
      await new Promise((resolve) => socket.once("close", resolve));
      assertStrictEquals(received, await written);
    }));

  const ends: Record<string, (client: Client) => void> = {
    "after ten seconds": () => void jest.advanceTimersByTime(1),
    "by the client's RST": (client) => client.reset(),
  };
  for (const [name, end] of Object.entries(ends)) {
    test(`A Bun connection that is closed and stuck ends ${name} (${kind.name})`, () =>
      withStuck(async ({ conn, client, isOpen }) => {
        jest.advanceTimersByTime(9_999);
        assertEquals([isOpen(), conn.slot.released], [true, false]);
        end(client);
        await Promise.resolve();
      }));
  }
}
