/**
 * Every way to end a connection, or not to: where the descriptor is closed the slot is free at once, and where it stays
 * open the slot stays held.
 *
 * @module
 */

import { Duplex } from "node:stream";
import { assertEquals, assertRejects, assertStrictEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type LimitedConn, Limiter, type Slot, withSlot } from "@connlimit/connlimit";
import { isOpen, pair } from "../support/deno.ts";
import { certificate, type Client, connectFrom, ended, eventually, openSockets, within } from "../support/net.ts";

type Conn = LimitedConn<Deno.TcpConn>;

/** An admitted connection with its client, and a check that nothing of them is left. */
async function withPair(use: (conn: Conn, client: Client, limiter: Limiter) => Promise<void>): Promise<void> {
  const before = openSockets();
  const limiter = new Limiter();
  {
    const [client, accepted] = await pair();
    using _ = client;
    using conn = withSlot(accepted, limiter.accept(accepted));
    assertStrictEquals(conn, accepted);
    await use(conn, client, limiter);
  }
  assertStrictEquals(limiter.open, 0);
  await eventually(() => openSockets() === before, "every socket to be closed");
}

/** What is done with a connection, and whether that closes it. */
type Usage = (conn: Conn, client: Client) => unknown;

/** Fails on purpose when awaited, as is expected of it. */
const fails = (promise: Promise<unknown>) => promise.then(() => Promise.reject("it did not fail"), () => {});

async function drain(readable: ReadableStream<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of readable) bytes += chunk.length;
  return bytes;
}

/** Fills the connection until its client, who does not read, takes no more. */
async function stuckWriter(conn: Conn) {
  const writer = conn.writable.getWriter();
  const write = writer.write(new Uint8Array(64 << 20));
  write.catch(() => {});
  // The kernel's buffers are full once the client's socket has stopped to receive.
  await new Promise((resolve) => setTimeout(resolve, 50));
  return { writer, write };
}

/** A duplex stream of Node's. By its types it takes none but Node's own web streams; it takes any. */
function duplexOf(conn: Conn): Duplex {
  return Duplex.fromWeb(conn as object as Parameters<typeof Duplex.fromWeb>[0]);
}

const CLOSES: Record<string, Usage> = {
  "close()": (conn) => conn.close(),
  "using": (conn) => {
    using _ = conn;
  },
  "[Symbol.dispose]() twice": (conn) => {
    conn[Symbol.dispose]();
    conn[Symbol.dispose]();
  },
  "close() twice, of which the second throws as Deno's does": (conn) => {
    conn.close();
    assertThrows(() => conn.close(), Deno.errors.BadResource);
  },
  "close() while a read is pending": async (conn) => {
    const read = conn.read(new Uint8Array(1));
    conn.close();
    await assertRejects(() => read, Deno.errors.Interrupted);
  },
  "close() while a write is pending": async (conn, { socket }) => {
    socket.pause();
    const writes = (async () => {
      for (;;) await conn.write(new Uint8Array(1 << 20));
    })();
    await Promise.race([writes.catch(() => {}), new Promise((resolve) => setTimeout(resolve, 50))]);
    conn.close();
    await fails(writes);
  },
  "closeWrite() and then close()": async (conn) => {
    await conn.closeWrite();
    conn.close();
  },

  "readable read to its end by for await": async (conn, client) => {
    client.socket.end("four");
    assertStrictEquals(await drain(conn.readable), 4);
  },
  "readable read to its end by a reader": async (conn, client) => {
    client.socket.end("four");
    const reader = conn.readable.getReader();
    while (!(await reader.read()).done);
  },
  "readable read to its end by a BYOB reader": async (conn, client) => {
    client.socket.end("four");
    const reader = conn.readable.getReader({ mode: "byob" });
    let text = "";
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(3));
      if (done) break;
      text += new TextDecoder().decode(value);
    }
    assertStrictEquals(text, "four");
  },
  "readable read to its end by a Response": async (conn, client) => {
    client.socket.end("four");
    assertStrictEquals(await new Response(conn.readable).text(), "four");
  },
  "readable read to its end through a TextDecoderStream": async (conn, client) => {
    client.socket.end("four");
    let text = "";
    for await (const chunk of conn.readable.pipeThrough(new TextDecoderStream())) text += chunk;
    assertStrictEquals(text, "four");
  },
  "readable read to its end, and then close(), which throws as Deno's does": async (conn, client) => {
    client.fin();
    await drain(conn.readable);
    assertThrows(() => conn.close(), Deno.errors.BadResource);
  },
  "readable left by break": async (conn, client) => {
    client.socket.write("four");
    for await (const _ of conn.readable) break;
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
  "readable failed by a RST": async (conn, client) => {
    client.reset();
    await assertRejects(() => drain(conn.readable), Deno.errors.ConnectionReset);
  },

  "writable.close()": (conn) => conn.writable.close(),
  "writable.abort()": (conn) => conn.writable.abort(),
  "writable.abort() while a write is stuck at a client that does not read": async (conn, { socket }) => {
    socket.pause();
    const { writer, write } = await stuckWriter(conn);
    await within(writer.abort(), "abort()");
    await fails(write);
  },
  "writable failed by a RST": async (conn, client) => {
    client.reset();
    const writer = conn.writable.getWriter();
    await fails((async () => {
      for (;;) await writer.write(new Uint8Array(1 << 16));
    })());
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
  "pipeTo() aborted while a write is stuck, which it waits for, and then close()": async (conn, { socket }) => {
    socket.pause();
    socket.write(new Uint8Array(64 << 20));
    const abort = new AbortController();
    const pipe = conn.readable.pipeTo(conn.writable, { signal: abort.signal });
    pipe.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 50));
    abort.abort();
    await new Promise((resolve) => setTimeout(resolve, 5));
    assertStrictEquals(isOpen(conn), !conn.slot.released);
    conn[Symbol.dispose]();
    await within(fails(pipe), "pipeTo()");
  },
  "pipeTo() with preventClose, preventAbort and preventCancel after the client's FIN": async (conn, client) => {
    const pipe = conn.readable.pipeTo(conn.writable, { preventClose: true, preventAbort: true, preventCancel: true });
    client.fin();
    await pipe;
  },

  "Duplex.fromWeb() after the client's FIN": async (conn, client) => {
    const duplex = duplexOf(conn);
    duplex.resume();
    client.fin();
    await new Promise((resolve) => duplex.on("close", resolve));
  },
  "Duplex.fromWeb() after the client's RST": async (conn, client) => {
    const duplex = duplexOf(conn);
    duplex.resume();
    duplex.on("error", () => {});
    client.reset();
    await new Promise((resolve) => duplex.on("close", resolve));
  },
  "Duplex.fromWeb() destroyed": async (conn) => {
    const duplex = duplexOf(conn);
    duplex.on("error", () => {});
    duplex.destroy();
    await new Promise((resolve) => duplex.on("close", resolve));
  },
};

const STAYS_OPEN: Record<string, Usage> = {
  "nothing at all": () => {},
  "read() to the end without close()": async (conn, client) => {
    client.fin();
    assertStrictEquals(await conn.read(new Uint8Array(1)), null);
  },
  "read() failed by a RST without close()": async (conn, client) => {
    client.reset();
    await assertRejects(() => conn.read(new Uint8Array(1)), Deno.errors.ConnectionReset);
  },
  "the client's FIN, with nobody reading": (_, client) => client.fin(),
  "the client's RST, with nobody reading": (_, client) => client.reset(),
  "closeWrite()": (conn) => conn.closeWrite(),
  "readable and writable touched": (conn) => [conn.readable, conn.writable],
  "getReader() and releaseLock()": (conn) => conn.readable.getReader().releaseLock(),
  "one branch of tee() cancelled": (conn) => void conn.readable.tee()[0].cancel(),
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
      // A turn, in which a wrong release would show.
      await new Promise((resolve) => setTimeout(resolve, 5));
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
    const slot: Slot = {
      admitted: true,
      client: "a client",
      released: false,
      release: () => openAtRelease ??= isOpen(accepted),
      [Symbol.dispose]() {},
    };
    await end(withSlot(accepted, slot) as Conn, client);
    assertStrictEquals(openAtRelease, false);
  }
});

Deno.test("withSlot() holds the slot of a connection that was dropped, and keeps its streams working", () =>
  withPair(async (conn, client, limiter) => {
    const collected = new Set<string>();
    const registry = new FinalizationRegistry<string>((name) => collected.add(name));
    const readable = await (async () => {
      const [other, accepted] = await pair();
      using _ = other;
      const dropped = withSlot(accepted, limiter.accept(accepted));
      // With Deno's own streams, collecting `writable` closes the descriptor under the reader.
      void dropped.writable;
      registry.register({}, "canary");
      other.socket.write("still here");
      await new Promise<void>((resolve) => other.socket.end(resolve));
      return dropped.readable;
    })();
    await eventually(() => {
      (globalThis as { gc?: () => void }).gc!();
      return collected.has("canary");
    }, "a garbage collection");
    assertStrictEquals(limiter.open, 2);
    assertStrictEquals(await new Response(readable).text(), "still here");
    assertStrictEquals(limiter.open, 1);
    assertStrictEquals(isOpen(conn), true);
    client.fin();
  }));

Deno.test("withSlot() ties the slots of several limiters, all freed with the connection", () =>
  withPair(async (conn, _client, limiter) => {
    const accounts = new Limiter();
    const first = conn.slot;
    const readable = conn.readable;
    assertStrictEquals(withSlot(conn, accounts.accept({ key: "alice" })).slot.client, "alice");
    assertStrictEquals(conn.readable, readable);
    assertEquals([limiter.open, accounts.open, first.released], [1, 1, false]);
    await conn.readable.cancel();
    assertEquals([limiter.open, accounts.open, first.released], [0, 0, true]);
  }));

Deno.test("withSlot() refuses a refusal and a slot that is back, and changes nothing", () =>
  withPair((conn, _client, limiter) => {
    const native = Object.getPrototypeOf(Object.getPrototypeOf(conn));
    const full = new Limiter({ maxPerClient: 0 });
    const back = limiter.accept("192.0.2.7");
    back.release();
    // deno-lint-ignore no-explicit-any
    assertThrows(() => withSlot(conn, full.tryAccept("192.0.2.7") as any), TypeError, "a refusal");
    assertThrows(() => withSlot(conn, back), TypeError, "a released one");
    assertStrictEquals(conn.slot.client, "127.0.0.1");
    assertStrictEquals(Object.getPrototypeOf(Object.getPrototypeOf(conn)), native);
    return Promise.resolve();
  }));

Deno.test("withSlot() frees at once the slot for a connection that was closed since its first was tied", () =>
  withPair((conn, _client, limiter) => {
    const accounts = new Limiter();
    conn.close();
    assertStrictEquals(withSlot(conn, accounts.accept({ key: "alice" })).slot.released, true);
    assertEquals([limiter.open, accounts.open], [0, 0]);
    return Promise.resolve();
  }));

Deno.test("withSlot() frees any number of slots of one connection", () =>
  withPair((conn) => {
    const limiter = new Limiter({ maxPerClient: Infinity });
    for (let i = 0; i < 20_000; i++) withSlot(conn, limiter.accept({ key: "alice" }));
    conn.close();
    assertStrictEquals(limiter.open, 0);
    return Promise.resolve();
  }));

Deno.test("withSlot() refuses what is no connection, and what would be closed without its knowledge", async () => {
  const slot = new Limiter().accept("192.0.2.7");
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  // deno-lint-ignore no-explicit-any
  for (const none of [{}, [], () => {}, Object.create(null), listener] as any[]) {
    assertThrows(() => withSlot(none, slot), TypeError, "conn must be a connection");
  }
  const [client, conn] = await pair();
  using _ = client;
  conn.close = () => {};
  assertThrows(() => withSlot(conn, slot), TypeError, "conn must not have a close of its own");
  conn[Symbol.dispose]();
  // deno-lint-ignore no-explicit-any
  assertThrows(() => withSlot(conn, { admitted: true } as any), TypeError, "slot must be a slot that is held");
  assertStrictEquals(slot.released, false);
});

Deno.test("withSlot() keeps a printed connection free of other clients' connections", () =>
  withPair((conn) => {
    assertStringIncludes(Deno.inspect(conn, { depth: 9 }), "Tie {}");
    return Promise.resolve();
  }));

Deno.test("withSlot() leaves writable taking every buffer and view, and nothing else", () =>
  withPair(async (conn, client) => {
    let text = "";
    client.socket.on("data", (chunk) => text += chunk);
    const writer = (conn.writable as WritableStream<unknown>).getWriter();
    const bytes = new TextEncoder().encode("..abcd..");
    await writer.write(bytes.subarray(2, 4));
    await writer.write(new Uint16Array(bytes.buffer, 4, 1));
    await writer.write(new DataView(bytes.buffer, 2, 2));
    await writer.write(bytes.buffer.slice(4, 6));
    await writer.write(new Uint8Array(0));
    await eventually(() => text === "abcdabcd", "all that was written");
    await assertRejects(() => writer.write("text"), TypeError, 'got "text"');
    assertEquals([isOpen(conn), conn.slot.released], [false, true]);
  }));

Deno.test("withSlot() leaves the connection Deno's own", () =>
  withPair(async (conn, client) => {
    assertStrictEquals(conn.remoteAddr.hostname, "127.0.0.1");
    conn.setKeepAlive(true);
    conn.unref();
    conn.ref();
    assertEquals(Object.keys(conn), []);
    client.socket.write("ping");
    const buffer = new Uint8Array(8);
    assertStrictEquals(await conn.read(buffer), 4);
    assertStrictEquals(await conn.write(buffer.subarray(0, 4)), 4);
    const pong = new Promise<string>((resolve) => client.socket.once("data", (data) => resolve(`${data}`)));
    assertStrictEquals(await within(pong, "the echo"), "ping");
  }));

Deno.test("Deno.startTls() takes a connection with a slot, and the slot can follow", async () => {
  const { cert, key } = certificate();
  using server = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
  await withPair(async (conn, { socket }, limiter) => {
    // `startTls()` is the client's side of TLS, so what connected to us is put through to a TLS server.
    const [relay, served] = [await connectFrom("127.0.0.1", server.addr.port), server.accept()];
    using _ = relay;
    socket.pipe(relay.socket).pipe(socket);
    const slot = conn.slot;
    const tls = await Deno.startTls(conn, { hostname: "localhost", caCerts: [cert] });
    using remote = await served;
    await Promise.all([tls.handshake(), remote.handshake()]);
    await remote.write(new TextEncoder().encode("secret"));
    assertStrictEquals(await tls.read(new Uint8Array(8)), 6);
    assertStrictEquals(slot.released, false);
    withSlot(tls, slot);
    tls.close();
    assertStrictEquals(slot.released, true);
    assertStrictEquals(limiter.open, 0);
  });
});

Deno.test("Deno.startTls() while a read is pending fails, and the slot stays held with the descriptor", async () => {
  const limiter = new Limiter();
  const [client, accepted] = await pair();
  using _ = client;
  const conn = withSlot(accepted, limiter.accept(accepted));
  const read = conn.read(new Uint8Array(1));
  await assertRejects(() => Deno.startTls(conn, { hostname: "localhost" }), Deno.errors.Busy);
  assertStrictEquals(limiter.open, 1);
  client.fin();
  await read.catch(() => {});
  // Deno has lost the descriptor: there is nothing left by which it could be closed, and the slot must not leak too.
  assertThrows(() => conn.close(), Deno.errors.BadResource);
  assertStrictEquals(limiter.open, 0);
});

Deno.test("Deno's internal serveHttpOnConnection() takes a connection with a slot, which is then freed by hand", () =>
  withPair(async (conn, client, limiter) => {
    // deno-lint-ignore no-explicit-any
    const { serveHttpOnConnection } = (Deno as any)[(Deno as any).internal];
    const respond = () => new Response("over HTTP");
    const { finished } = serveHttpOnConnection(conn, undefined, respond, respond, () => {});
    client.socket.write("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assertStringIncludes(await ended(client), "over HTTP");
    await finished;
    // It closes the descriptor without a call that could be seen, so whoever hands a connection over must close it too.
    assertStrictEquals(limiter.open, 1);
    conn[Symbol.dispose]();
    assertStrictEquals(limiter.open, 0);
  }));
