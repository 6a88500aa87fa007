/**
 * A connection of Deno's stays as it was when it is given a slot. Whoever takes it over can take its slot.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { Limiter, withSlot } from "@connlimit/connlimit";
import { bindSlot } from "../../src/deno/bind_slot.ts";
import { isOpen, pair } from "../support/deno/bound_conn.ts";
import { certificate, connectFrom, ended, eventually, within } from "../support/net.ts";
import { withPair } from "../support/deno/bound_conn.ts";
import { Canary } from "../support/canary.ts";

Deno.test("withSlot() holds the slot of a connection that was dropped, and keeps its streams working", () =>
  withPair(async (conn, client, limiter) => {
    const canary = new Canary();
    const readable = await (async () => {
      const [other, accepted] = await pair();
      using _ = other;
      const dropped = withSlot(accepted, limiter.accept(accepted));
      // With Deno's own streams, collecting `writable` closes the descriptor under the reader.
      void dropped.writable;
      canary.drop();
      other.socket.write("still here");
      await new Promise<void>((resolve) => other.socket.end(resolve));
      return dropped.readable;
    })();
    await canary.collected();
    assertStrictEquals(limiter.open, 2);
    assertStrictEquals(await new Response(readable).text(), "still here");
    assertStrictEquals(limiter.open, 1);
    assertStrictEquals(isOpen(conn), true);
    client.fin();
  }));

Deno.test("withSlot() leaves the prototypes of a connection as they are when it refuses a slot", () =>
  withPair((conn, _client, limiter) => {
    const native = Object.getPrototypeOf(Object.getPrototypeOf(conn));
    const back = limiter.accept("192.0.2.7");
    back.release();
    assertThrows(() => withSlot(conn, back), TypeError, "a released one");
    assertStrictEquals(Object.getPrototypeOf(Object.getPrototypeOf(conn)), native);
  }));

Deno.test("withSlot() refuses a connection that would be closed without its knowledge", async () => {
  const slot = new Limiter().accept("192.0.2.7");
  const [client, conn] = await pair();
  using _ = client;
  conn.close = () => {};
  assertThrows(() => withSlot(conn, slot), TypeError, "conn must not have a close of its own");
  conn[Symbol.dispose]();
  assertStrictEquals(slot.released, false);
});

Deno.test("bindSlot() takes any number of slots of one connection, and frees them", () =>
  withPair((conn) => {
    const limiter = new Limiter({ maxPerClient: Infinity });
    for (let i = 0; i < 20_000; i++) bindSlot(conn, limiter.accept({ key: "alice" }), undefined);
    conn.close();
    assertStrictEquals(limiter.open, 0);
  }));

Deno.test("withSlot() leaves nothing to see on a connection that is printed, copied or looped over", async () => {
  const [client, native] = await pair();
  using _ = client;
  const [names, symbols, text] = [
    namesOf(native),
    Object.getOwnPropertySymbols(native),
    Deno.inspect(native, { depth: 9 }),
  ];
  using conn = withSlot(native, new Limiter().accept(native));
  withSlot(conn, new Limiter().accept(native));
  assert(conn.readable.locked === conn.writable.locked);
  assertEquals([namesOf(conn), Object.getOwnPropertySymbols(conn), Deno.inspect(conn, { depth: 9 })], [
    names,
    symbols,
    text,
  ]);
  assertEquals([names, Object.assign({}, conn)], [[], {}]);
  // As a debugger does.
  assertStrictEquals(Object.getPrototypeOf(conn).slot, undefined);
});

function namesOf(object: object): string[] {
  const names = [];
  for (const name in object) names.push(name);
  return names;
}

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
