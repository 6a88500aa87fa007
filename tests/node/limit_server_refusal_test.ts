/**
 * A refused connection reaches no listener and costs no other client anything. Only the hooks learn of it.
 *
 * @module
 */

import * as net from "node:net";
import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { Refusal } from "@connlimit/connlimit";
import { aWhile, connectFrom, ended } from "../support/net.ts";
import { CLIENT_ADDRESS, isBun, notLinux } from "../support/platform.ts";
import { Limited } from "../support/node/limited_server.ts";
import { connectTo, KINDS, shakeHands } from "../support/node/server_kinds.ts";
import { fails, throwing } from "../support/failures.ts";
import { resetFromOutside } from "../support/outside.ts";

const EVENTS = [
  "connection",
  "secureConnection",
  "session",
  "stream",
  "request",
  "tlsClientError",
  "clientError",
  "sessionError",
  "error",
];

for (const [name, kind] of Object.entries(KINDS)) {
  test(`limitServer() emits no event for a refused ${name} connection`, async () => {
    const server = kind.create();
    const heard: string[] = [];
    await using limited = await Limited.listen(server, { limits: { maxPerClient: 1 } });
    using admitted = await connectTo(kind, limited.port, CLIENT_ADDRESS);
    await kind.ask(admitted, "answer");
    for (const event of EVENTS) server.on(event, () => heard.push(event));
    using refused = await connectFrom(CLIENT_ADDRESS, limited.port);
    // Bun performs the handshake of its `https` first.
    const shaken = isBun && name === "https" && await shakeHands(refused);
    if (kind.secure && !shaken) await fails(shakeHands(refused));
    else refused.socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assertStrictEquals(await ended(refused), "");
    await limited.answered(1, 1);
    await aWhile();
    assertEquals(heard, []);
    assertStrictEquals(limited.limiter.open, 1);
  });

  test(`limitServer() survives 1,000 ${name} clients that reset while they are refused`, async () => {
    const refusals: Refusal[] = [];
    await using limited = await Limited.listen(kind.create(), {
      limits: { maxPerClient: 0 },
      options: {
        onRefused(refusal, socket) {
          refusals.push(refusal);
          // What is written to a socket that has been reset fails.
          if (refusals.length % 2 === 0) socket.write("HTTP/1.1 429 Too Many Requests\r\n\r\n");
        },
      },
    });
    for (let i = 0; i < 20; i++) {
      await Promise.all(Array.from({ length: 50 }, async (_, index) => {
        using client = await connectFrom("127.0.0.1", limited.port);
        // Some leave it to the server to be first, and some are fast.
        const waits = index % 5 === 0;
        if (waits || index % 3 > 0) client.socket.write("GET / HTTP/1.1\r\n\r\n");
        if (waits) await ended(client);
        else client.reset();
      }));
    }
    // Bun's web servers never hear of some that are reset.
    if (isBun && (name === "http" || name === "https")) assert(refusals.length >= 200, `${refusals.length} refused`);
    else await limited.answered(0, 1_000);
    assertStrictEquals(refusals.length, limited.limiter.stats().refused);
    limited.limiter.setLimits({ maxPerClient: 1 });
    using client = await connectTo(kind, limited.port);
    await kind.ask(client, "answer");
  });
}

test("limitServer() calls onRefused before the socket is destroyed, with its address still there", async () => {
  const told: unknown[] = [];
  const onRefused = ({ reason }: Refusal, socket: net.Socket) =>
    void told.push(reason, socket.remoteAddress, socket.destroyed);
  await using limited = await Limited.listen(net.createServer(), {
    limits: { maxPerClient: 0 },
    options: { onRefused },
  });
  using client = await connectFrom(CLIENT_ADDRESS, limited.port);
  await ended(client);
  assertEquals(told, ["client", CLIENT_ADDRESS, false]);
});

test("limitServer() gives what onRefused throws or rejects with to onError, and refuses all the same", async () => {
  for (
    const [error, fail] of [["rejected", () => Promise.reject("rejected")], ["thrown", throwing("thrown")]] as const
  ) {
    const errors: unknown[] = [];
    const onError = (error: unknown) => void errors.push(error);
    const setup = { limits: { maxPerClient: 0 }, options: { onRefused: fail, onError } };
    await using limited = await Limited.listen(net.createServer(), setup);
    using client = await connectFrom("127.0.0.1", limited.port);
    assertStrictEquals(await ended(client), "");
    assertEquals(errors, [error]);
    assertEquals(limited.sockets, []);
  }
});

test("limitServer() survives an onRefused that closes the socket by itself, with an error or without", async () => {
  const closings = [
    (_: Refusal, socket: net.Socket) => void socket.destroy(new Error("busy")),
    (_: Refusal, socket: net.Socket) => void socket.end().write("words after the end"),
    (_: Refusal, socket: net.Socket) => void socket.resetAndDestroy(),
    (_: Refusal, socket: net.Socket) => void socket.removeAllListeners().end("bye"),
  ];
  for (const onRefused of closings) {
    const setup = { limits: { maxPerClient: 0 }, options: { onRefused } };
    await using limited = await Limited.listen(net.createServer(), setup);
    for (let i = 0; i < 5; i++) {
      // A reset may come before the client knows that it is connected.
      using client = await connectFrom("127.0.0.1", limited.port).catch(() => undefined);
      if (client) await ended(client);
    }
    await aWhile();
    await limited.answered(0, 5);
  }
});

test(
  "limitServer() refuses a connection that was reset before it was accepted, as of unknown address",
  { skip: notLinux },
  async () => {
    const refused: unknown[] = [];
    const onRefused = ({ reason }: Refusal, { remoteAddress }: net.Socket) =>
      void refused.push([reason, remoteAddress]);
    await using limited = await Limited.listen(net.createServer(), { options: { onRefused } });
    // Nothing is accepted while another program is waited for.
    resetFromOutside(limited.port, 100);
    await limited.answered(0, 100);
    assertEquals(refused, Array(100).fill(["unknown-address", undefined]));
    assertStrictEquals(limited.limiter.stats().refusedBy["unknown-address"], 100);
    using client = await connectFrom("127.0.0.1", limited.port);
    await limited.answered(1, 100);
    client.fin();
    await limited.freed();
  },
);
