/**
 * Connections that one server passes on to another: each limiter counts a connection once.
 *
 * @module
 */

import { once } from "node:events";
import type * as http from "node:http";
import * as net from "node:net";
import { test } from "node:test";
import * as tls from "node:tls";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { limitServer } from "@connlimit/connlimit/node";
import { certificate, connectFrom, ended, eventually } from "../support/net.ts";
import { isBun } from "../support/platform.ts";
import { ignore, type Kind, KINDS, shakeHands } from "../support/node/server_kinds.ts";

const secureContext = tls.createSecureContext(certificate());

/** A TLS socket over a socket. */
function secure(socket: net.Socket): tls.TLSSocket {
  return new tls.TLSSocket(socket, { isServer: true, secureContext }).on("error", ignore);
}

/** How a front server passes a socket on, and to which kind of server. */
const WAYS: Readonly<Record<string, { kind: Kind; pass: (socket: net.Socket) => net.Socket; tls?: boolean }>> = {
  "net": { kind: KINDS.net!, pass: (socket) => socket },
  "http": { kind: KINDS.http!, pass: (socket) => socket },
  "http2 cleartext": { kind: KINDS["http2 cleartext"]!, pass: (socket) => socket },
  "tls": { kind: KINDS.tls!, pass: (socket) => socket },
  "net over TLS": { kind: KINDS.net!, pass: secure, tls: true },
  "http over TLS": { kind: KINDS.http!, pass: secure, tls: true },
  "net over TLS over TLS": { kind: KINDS.net!, pass: (socket) => secure(secure(socket)) },
  // Without limits, either, Bun's https servers speak TLS over no socket that they are handed.
  ...isBun ? {} : { "https": { kind: KINDS.https!, pass: (socket) => socket } },
};

for (const [name, { kind, pass, tls: overTls = kind.secure !== false }] of Object.entries(WAYS)) {
  test(`limitServer() counts once a connection that is passed on under the same limiter (to ${name})`, async () => {
    const limiter = new Limiter({ maxPerClient: 1 });
    const other = new Limiter({ maxPerClient: 2 });
    const back = kind.create() as http.Server;
    const passed: net.Socket[] = [];
    const front = net.createServer((socket) => {
      const on = pass(socket.on("error", ignore));
      passed.push(on);
      back.emit("connection", on);
    });
    const limited = [limitServer(front, limiter), limitServer(back, limiter), limitServer(back, other)] as const;
    front.listen(0, "127.0.0.1");
    await once(front, "listening");
    const { port } = front.address() as net.AddressInfo;
    for (let round = 1; round <= 3; round++) {
      using plain = await connectFrom("127.0.0.1", port);
      await eventually(() => limiter.stats().admitted === round, "the client to be admitted");
      using second = await connectFrom("127.0.0.1", port);
      assertStrictEquals(await ended(second), "");
      assertEquals([limiter.open, other.open, limiter.stats().refused, other.stats().refused], [1, 1, round, 0]);
      // Whichever of the two sockets is at hand.
      const slots = limited.map(({ slotOf }) => slotOf(passed[round - 1]!));
      assertEquals(slots.map((slot) => slot?.client), ["127.0.0.1", "127.0.0.1", "127.0.0.1"]);
      assertStrictEquals(slots[0], slots[1]);
      if (!name.endsWith("over TLS over TLS")) {
        using client = overTls ? await shakeHands(plain, kind.secure || []) : plain;
        await kind.ask(client, "answer");
        client.fin();
      }
      plain.fin();
      await eventually(() => limiter.open === 0 && other.open === 0, "the slots to be free");
    }
    assertEquals([limiter.stats().admitted, other.stats().admitted], [3, 3]);
    const closed = once(front, "close");
    front.close();
    back.close();
    await closed;
  });
}

test("limitServer() counts a connection anew that is passed on after its slot was released", async () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  const back = KINDS.net!.create();
  const front = net.createServer((socket) => {
    if (attached.slotOf(socket.on("error", ignore))!.client === "127.0.0.1") attached.slotOf(socket)!.release();
    back.emit("connection", socket);
  });
  const attached = limitServer(front, limiter);
  limitServer(back, limiter);
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  {
    using client = await connectFrom("127.0.0.1", (front.address() as net.AddressInfo).port);
    await KINDS.net!.ask(client, "answer");
    assertEquals([limiter.open, limiter.stats().admitted], [1, 2]);
  }
  await eventually(() => limiter.open === 0, "the slot to be free");
  const closed = once(front, "close");
  front.close();
  await closed;
});

test("limitServer() counts once a socket that comes by the same server again", async () => {
  const server = net.createServer();
  const limiters = [limitServer(server), limitServer(server)].map(({ limiter }) => limiter);
  const socket = new net.Socket();
  Object.defineProperty(socket, "remoteAddress", { value: "192.0.2.7" });
  for (let i = 0; i < 3; i++) server.emit("connection", socket);
  assertEquals(limiters.map(({ open }) => open), [1, 1]);
  assertThrows(() => limitServer(server, limiters[0]), TypeError, "limiter must be one that the server does not have");
  socket.destroy();
  await eventually(() => limiters.every(({ open }) => open === 0), "the slots to be free");
});
