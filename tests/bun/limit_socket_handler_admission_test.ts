/**
 * Which connections limited handlers admit and which they refuse, and what the hooks can do.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { limitSocketHandler } from "@connlimit/connlimit/bun";
import { Folder } from "../support/folder.ts";
import { answered, closeAll } from "../support/listeners.ts";
import { type Client, connectFrom, ended, eventually, openSockets, within } from "../support/net.ts";
import { resetFromOutside } from "../support/outside.ts";
import { CLIENT_ADDRESS, notLinux, noUnixSockets } from "../support/platform.ts";
import { data, type Handlers, serve, type Socket } from "../support/bun/with_served.ts";
import { connect, KINDS, PLAIN } from "../support/bun/kinds.ts";
import { testSockets as test } from "../support/bun/test_sockets.ts";
import { turnedAway } from "../support/turned_away.ts";

for (const kind of KINDS) {
  test(`limitSocketHandler() refuses without calling any handler (${kind.name})`, async () => {
    const before = openSockets();
    const limiter = new Limiter({ maxPerClient: 0 });
    const refusals: [reason: string, address: string][] = [];
    const call = () => assert(false, "a handler was called");
    const handlers = { open: call, data: call, drain: call, end: call, error: call, handshake: call, close: call };
    const listener = serve(
      kind,
      limitSocketHandler(limiter, handlers, {
        onRefused: ({ reason }, { remoteAddress }: Socket) => void refusals.push([reason, remoteAddress]),
      }),
    );
    for (let i = 0; i < 3; i++) {
      // Over TLS it gets no handshake: nothing at all.
      assertStrictEquals(await turnedAway(listener.port, CLIENT_ADDRESS), kind.tls ? "RST" : "FIN");
    }
    assertEquals(refusals, Array(3).fill(["client", CLIENT_ADDRESS]));
    listener.stop(true);
    await eventually(() => openSockets() === before, "every socket to be closed");
  });

  test(`limitSocketHandler() refuses a client that connects and resets before it is accepted (${kind.name})`, {
    skip: notLinux,
  }, async () => {
    const before = openSockets();
    const limiter = new Limiter();
    const call = () => assert(false, "a handler was called");
    const listener = serve(kind, limitSocketHandler(limiter, { open: call, data: call, error: call, close: call }));
    resetFromOutside(listener.port, 5);
    await answered(limiter, 5);
    await eventually(() => openSockets() === before + 1, "every socket to be closed");
    assertEquals([limiter.open, limiter.stats().refusedBy["unknown-address"]], [0, 5]);
    listener.stop(true);
  });

  test(`limitSocketHandler() survives hooks that close, that write and that fail (${kind.name})`, async () => {
    const before = openSockets();
    const limiter = new Limiter({ maxPerClient: 0 });
    const hooks: ((socket: Socket) => unknown)[] = [
      (socket) => socket.end("busy"),
      (socket) => socket.write("busy"),
      (socket) => socket.close(),
      (socket) => socket.terminate(),
      (socket) => socket.shutdown(),
      (socket) => socket.pause(),
      () => {
        throw new Error("thrown");
      },
      () => Promise.reject(new Error("rejected")),
    ];
    const answers = kind.tls ? ["", "", "", "", "", "", "", ""] : ["busy", "busy", "", "", "", "", "", ""];
    const errors: string[] = [];
    let calls = 0;
    const options = {
      onRefused: (_: unknown, socket: Socket) => hooks[calls++]!(socket) as void,
      onError: (error: unknown) => void errors.push((error as Error).message),
    };
    const listener = serve(kind, limitSocketHandler(limiter, { data }, options));
    for (const answer of answers) {
      using client = await connectFrom("127.0.0.1", listener.port);
      assertStrictEquals(await ended(client), answer);
    }
    assertEquals(errors, ["thrown", "rejected"]);
    await eventually(() => openSockets() === before + 1, "every socket to be closed");
    listener.stop(true);
  });

  test(`limitSocketHandler() counts a client that sends nothing, and no longer once it is gone (${kind.name})`, async () => {
    for (const leave of ["fin", "reset"] as const) {
      const limiter = new Limiter({ maxPerClient: 1 });
      const events: string[] = [];
      const listener = serve(
        kind,
        limitSocketHandler(limiter, {
          open: () => void events.push("open"),
          close: () => void events.push("close"),
          end: (socket) => void socket.end(),
          data,
        }),
      );
      using silent = await connectFrom("127.0.0.1", listener.port);
      await eventually(() => limiter.open === 1, "the silent one to be admitted");
      using other = await connectFrom("127.0.0.1", listener.port);
      assertStrictEquals(await ended(other), "");
      silent[leave]();
      await eventually(() => limiter.open === 0, "the slot to be free");
      // With TLS nobody has heard of it.
      assertEquals(events, kind.tls ? [] : ["open", "close"]);
      listener.stop(true);
    }
  });

  test(`limitSocketHandler() has two limiters both admit, and frees both slots (${kind.name})`, async () => {
    const [outer, inner] = [new Limiter({ maxPerClient: 3 }), new Limiter({ maxPerClient: 2 })];
    const events: string[] = [];
    const listener = serve(
      kind,
      limitSocketHandler(
        outer,
        limitSocketHandler(inner, {
          open: () => void events.push("open"),
          close: () => void events.push("close"),
          data,
        }),
      ),
    );
    const clients = [await connect(kind, listener.port), await connect(kind, listener.port)];
    await eventually(() => events.length === 2, "two to be open");
    using third = await connectFrom("127.0.0.1", listener.port);
    await ended(third);
    assertEquals([outer.open, inner.open, outer.stats().refused, inner.stats().refused], [2, 2, 0, 1]);
    outer.setLimits({ maxPerClient: 2 });
    using fourth = await connectFrom("127.0.0.1", listener.port);
    await ended(fourth);
    assertEquals([outer.open, inner.open, outer.stats().refused, inner.stats().refused], [2, 2, 1, 1]);
    for (const client of clients) client.reset();
    await eventually(() => outer.open === 0 && inner.open === 0, "both to be idle");
    assertEquals(events, ["open", "open", "close", "close"]);
    listener.stop(true);
  });
}

test("limitSocketHandler() counts the connections of listeners that share a limiter, or handlers, together", async () => {
  const limiter = new Limiter({ maxPerClient: 2 });
  const handlers = limitSocketHandler(limiter, { data });
  const listeners = [
    serve(PLAIN, handlers),
    serve(PLAIN, handlers),
    serve(PLAIN, limitSocketHandler(limiter, { data })),
  ];
  const clients: Client[] = [];
  for (const { port } of listeners) clients.push(await connectFrom("127.0.0.1", port));
  await answered(limiter, 3);
  assertEquals([limiter.open, limiter.stats().refused], [2, 1]);
  closeAll(clients);
  await within(limiter.idle(), "the limiter to be idle");
  for (const listener of listeners) listener.stop(true);
});

test("limitSocketHandler() counts all peers of a Unix socket as one client", { skip: noUnixSockets }, async () => {
  using folder = new Folder();
  const unix = folder.file();
  const limiter = new Limiter({ maxPerClient: 2 });
  const listener = Bun.listen<undefined>({ unix, socket: limitSocketHandler(limiter, { data }) });
  const clients = await Promise.all([1, 2, 3].map(() => Bun.connect({ unix, socket: { data } })));
  await answered(limiter, 3);
  assertEquals([...limiter.clients()], [{ client: "unix", open: 2 }]);
  for (const client of clients) client.end();
  await within(limiter.idle(), "the limiter to be idle");
  listener.stop(true);
});

test("limitSocketHandler() refuses what Bun refuses, and bad options", () => {
  // deno-lint-ignore no-explicit-any
  const make = (...args: any[]) => () => (limitSocketHandler as any)(...args);
  assertThrows(() => serve(PLAIN, limitSocketHandler({}, {} as Handlers)), TypeError, "at least");
  for (const name of ["open", "close", "data", "end", "drain", "handshake"]) {
    assertThrows(make({}, { data, [name]: 7 }), TypeError, `${name} must be a function, got 7`);
    assertThrows(make({}, { data, [name]: 7 }, { answer: "busy" }), TypeError, `${name} must be a function, got 7`);
  }
  assertThrows(make({}, null), TypeError, "handlers must be an object, got null");
  assertThrows(make({}, "data"), TypeError, 'handlers must be an object, got "data"');
  assertThrows(make({ maxPerClient: -1 }, { data }), RangeError, "maxPerClient");
  assertThrows(make({}, { data }, { onRefuse() {} }), TypeError, 'unknown socket handler option "onRefuse"');
  assertThrows(make({}, { data }, { onRefused: 7 }), TypeError, "onRefused must be a function, got 7");
});

test("limitSocketHandler() returns handlers that have their limiter, which copies do not take along", () => {
  const limiter = new Limiter();
  const inner = limitSocketHandler(limiter, { data() {} });
  const outer = limitSocketHandler({ maxPerClient: 3 }, inner);
  assertStrictEquals(inner.limiter, limiter);
  assertStrictEquals(outer.limiter.limits.maxPerClient, 3);
  assertEquals("limiter" in { ...inner }, false);
});
