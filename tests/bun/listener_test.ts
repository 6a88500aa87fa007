import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { type LimitedConn, limitedListener, Limiter, withSlot } from "@connlimit/connlimit";
import { type BunConn, listen } from "@connlimit/connlimit/bun";
import { certificate, type Client, connectFrom, ended, eventually, openSockets, within } from "../support/net.ts";
import { hiddenSockets, noIPv6, notLinux, noUnixSockets, oneAddress } from "../support/platform.ts";
import {
  answered,
  aWhile,
  closeAll,
  connect,
  keepAll,
  KINDS,
  limited,
  nameOfError,
  PLAIN,
  resetUnaccepted,
  TLS,
  turnedAway,
  withBun,
} from "./support.ts";

const onLoopback = { hostname: "127.0.0.1", port: 0, socket: { data() {} } };

const bytes = (text: string) => new TextEncoder().encode(text);

async function echoAll(listener: AsyncIterable<BunConn>): Promise<void> {
  for await (const conn of listener) conn.readable.pipeTo(conn.writable).catch(() => {});
}

for (const kind of KINDS) {
  test(`limitedListener() yields admitted connections with their slots, and closes the others (${kind.name})`, {
    skip: oneAddress,
  }, async () => {
    const before = openSockets();
    const refused: [reason: string, host: string][] = [];
    {
      using listener = limited(kind, { maxPerClient: 2 }, {
        onRefused: ({ reason }, { remoteAddr }) => void refused.push([reason, remoteAddr.hostname]),
      });
      const { limiter, addr: { port } } = listener;
      const kept = keepAll(listener);
      const clients = await Promise.all([connect(kind, port), connect(kind, port), connect(kind, port, "127.0.0.2")]);
      assertStrictEquals(await turnedAway(port), kind.tls ? "RST" : "FIN");
      await answered(limiter, 4);
      assertEquals(refused, [["client", "127.0.0.1"]]);
      assertEquals([limiter.openFor("127.0.0.1"), limiter.openFor("127.0.0.2")], [2, 1]);
      listener.close();
      const conns = await kept;
      assertEquals(conns.map(({ slot }) => slot.client).sort(), ["127.0.0.1", "127.0.0.1", "127.0.0.2"]);
      closeAll(conns);
      assertStrictEquals(limiter.open, 0);
      await Promise.all(clients.map(ended));
    }
    await eventually(() => openSockets() === before, "every socket to be closed");
  });

  test(
    `limitedListener() echoes for many clients at once and frees every slot (${kind.name})`,
    { skip: oneAddress },
    async () => {
      using listener = limited(kind, { maxPerClient: 20 });
      const serving = echoAll(listener);
      const echoes = await Promise.all(Array.from({ length: 30 }, async (_, index) => {
        using client = await connect(kind, listener.addr.port, `127.0.0.${1 + index % 3}`);
        const echo = once(client.socket, "data");
        client.socket.write(`hello ${index}`);
        const [text] = await echo;
        client.socket.end();
        await ended(client);
        return `${text}`;
      }));
      assertEquals(echoes, Array.from({ length: 30 }, (_, index) => `hello ${index}`));
      await within(listener.limiter.idle(), "the limiter to be idle");
      listener.close();
      await serving;
    },
  );

  test(`limitedListener() refuses a client that connects and resets before it is accepted (${kind.name})`, {
    skip: notLinux,
  }, async () => {
    const before = openSockets();
    const refused: [reason: string, address: unknown][] = [];
    {
      using listener = limited(kind, {}, {
        onRefused: ({ reason }, { remoteAddr }) => void refused.push([reason, remoteAddr]),
      });
      const { limiter, addr: { port } } = listener;
      const kept = keepAll(listener);
      resetUnaccepted(port, 5);
      await answered(limiter, 5);
      assertEquals(refused, Array(5).fill(["unknown-address", { transport: "tcp", hostname: "", port: 0 }]));
      using polite = await connect(kind, port);
      await eventually(() => limiter.open === 1, "the polite client to be admitted");
      listener.close();
      closeAll(await kept);
      await ended(polite);
    }
    await eventually(() => openSockets() === before, "every socket to be closed");
  });

  test(
    `limitedListener() survives 500 clients that connect and reset (${kind.name})`,
    { skip: oneAddress },
    async () => {
      using listener = limited(kind, { maxPerClient: 3 });
      const { limiter, addr: { port } } = listener;
      const serving = echoAll(listener);
      for (let i = 0; i < 500; i++) (await connectFrom("127.0.0.2", port)).reset();
      using polite = await connect(kind, port);
      const echo = once(polite.socket, "data");
      polite.socket.write("hello");
      assertStrictEquals(`${(await echo)[0]}`, "hello");
      await eventually(() => limiter.open === 1, "the others to be gone");
      const { admitted, refused } = limiter.stats();
      assertStrictEquals(admitted + refused, 501);
      polite.reset();
      await within(limiter.idle(), "the limiter to be idle");
      listener.close();
      await serving;
    },
  );

  test(`limitedListener() counts connections that nobody asks for, and forgets those that are reset (${kind.name})`, {
    skip: hiddenSockets,
  }, async () => {
    const before = openSockets();
    {
      using listener = limited(kind, { maxPerClient: 3 });
      const { limiter, addr: { port } } = listener;
      const clients = await Promise.all([1, 2, 3].map(() => connect(kind, port)));
      assertStrictEquals(await ended(await connectFrom("127.0.0.1", port)), "");
      assertStrictEquals(limiter.open, 3);
      // However many come and leave, there is room again and nothing of them is left.
      for (let round = 0; round < 20; round++) {
        clients[1]!.reset();
        await eventually(() => limiter.open === 2, "the slot to be free");
        clients[1] = await connect(kind, port);
        await eventually(() => limiter.open === 3, "the next to be admitted");
      }
      assertEquals(openSockets() - before, 7);
      const ports = clients.map(({ socket }) => socket.localPort!);
      using first = await listener.accept();
      using second = await listener.accept();
      using third = await listener.accept();
      const order = [first, second, third].map(({ remoteAddr }) => remoteAddr.port);
      assertEquals(order, [ports[0]!, ports[2]!, ports[1]!]);
      closeAll([first, second, third, ...clients]);
      const later = [await connect(kind, port), await connect(kind, port)];
      await eventually(() => limiter.open === 2, "the later ones to be admitted");
      using fourth = await listener.accept();
      using fifth = await listener.accept();
      assertEquals(
        [fourth, fifth].map(({ remoteAddr }) => remoteAddr.port),
        later.map(({ socket }) => socket.localPort!),
      );
      closeAll(later);
    }
    await eventually(() => openSockets() === before, "every socket to be closed");
  });

  test(`limitedListener() closes connections that nobody has asked for when it is closed (${kind.name})`, async () => {
    const listener = limited(kind);
    const { limiter, addr: { port } } = listener;
    using client = await connect(kind, port);
    using silent = await connectFrom("127.0.0.1", port);
    await eventually(() => limiter.open === 2, "both to be admitted");
    listener.close();
    assertStrictEquals(limiter.open, 0);
    assertEquals(await keepAll(listener), []);
    assertEquals(await Promise.all([ended(client), ended(silent)]), ["", ""]);
  });

  test(`limitedListener() can take over a listener that is in use, and ends what it does not count (${kind.name})`, async () => {
    const before = openSockets();
    {
      let events = 0;
      const handler = () => void events++;
      const { allowHalfOpen, ...where } = {
        ...onLoopback,
        ...(kind.tls ? { tls: certificate() } : {}),
        allowHalfOpen: kind.halfOpen,
      };
      const native = Bun.listen({ ...where, allowHalfOpen, socket: { open: handler, data: handler, close: handler } });
      const early = await Promise.all([1, 2, 3].map(() => connect(kind, native.port)));
      await eventually(() => events === 3, "the early ones to be open");
      using listener = limitedListener(native, { maxPerClient: 1 });
      const { limiter } = listener;
      const kept = keepAll(listener);
      early[0]!.socket.write("a first byte");
      early[1]!.fin();
      early[2]!.reset();
      await Promise.all(early.map(ended));
      using client = await connect(kind, native.port);
      await eventually(() => limiter.open === 1, "the late one to be admitted");
      assertEquals([limiter.stats().admitted, events], [1, 3]);
      listener.close();
      closeAll(await kept);
      await ended(client);
    }
    await eventually(() => openSockets() === before, "every socket to be closed");
  });
}

for (
  const [name, stop] of Object.entries({
    "stop()": (native: Bun.TCPSocketListener) => native.stop(),
    "stop(true)": (native: Bun.TCPSocketListener) => native.stop(true),
    "dispose": (native: Bun.TCPSocketListener) => native[Symbol.dispose](),
  })
) {
  for (const kind of [PLAIN, TLS]) {
    test(`limitedListener() ends the loop when Bun's own listener is stopped by ${name} (${kind.name})`, async () => {
      const native = Bun.listen({ ...onLoopback, ...(kind.tls ? { tls: certificate() } : {}) });
      const listener = limitedListener(native);
      const { limiter } = listener;
      const kept = keepAll(listener);
      using client = await connect(kind, native.port);
      using silent = await connectFrom("127.0.0.1", native.port);
      await eventually(() => limiter.open === 2, "both to be admitted");
      stop(native);
      // Only `stop()` leaves open connections as they are.
      assertStrictEquals(limiter.open, name === "stop()" ? 2 : 0);
      closeAll(await within(kept, "the loop to end"));
      await within(limiter.idle(), "the limiter to be idle");
      await assertRejects(() => connectFrom("127.0.0.1", native.port));
      assertStrictEquals(await nameOfError(listener.accept()), "BadResource");
      stop(native);
      await Promise.all([ended(client), ended(silent)]);
    });
  }
}

test(
  "limitedListener() refuses exactly 250 of 500 connections over 50 addresses at limit 5",
  { skip: oneAddress },
  async () => {
    const before = openSockets();
    {
      using listener = limited(PLAIN, { maxPerClient: 5 });
      const { limiter, addr: { port } } = listener;
      const kept = keepAll(listener);
      const clients: Client[] = [];
      for (let i = 0; i < 10; i++) {
        const addresses = Array.from({ length: 50 }, (_, index) => `127.0.0.${index + 1}`);
        clients.push(...await Promise.all(addresses.map((address) => connectFrom(address, port))));
      }
      await answered(limiter, 500);
      const { open, clients: counted, peak, admitted, refusedBy } = limiter.stats();
      assertEquals([open, counted, peak, admitted, refusedBy.client], [250, 50, 250, 250, 250]);
      listener.close();
      closeAll(await kept);
      assertEquals([limiter.open, limiter.stats().clients], [0, 0]);
      await Promise.all(clients.map(ended));
    }
    await eventually(() => openSockets() === before, "every socket to be closed");
  },
);

test("limitedListener() lets onRefused say goodbye, and survives hooks that fail", async () => {
  const errors: unknown[] = [];
  let calls = 0;
  using listener = limited(PLAIN, { maxPerClient: 0 }, {
    onRefused(_, conn) {
      conn.write(bytes("busy"));
      calls++;
      if (calls === 2) throw new Error("thrown");
      if (calls === 3) return Promise.reject(new Error("rejected"));
      if (calls === 4) conn.close();
    },
    onError: (error) => void errors.push((error as Error).message),
  });
  const kept = keepAll(listener);
  for (let i = 0; i < 5; i++) {
    using client = await connectFrom("127.0.0.1", listener.addr.port);
    assertStrictEquals(await ended(client), "busy");
  }
  await eventually(() => errors.length === 2, "the errors");
  assertEquals(errors.toSorted(), ["rejected", "thrown"]);
  listener.close();
  assertEquals(await kept, []);
});

for (const kind of KINDS) {
  test(
    `limitedListener() lets no hook end the process by what it does not wait for (${kind.name})`,
    { skip: notLinux },
    async () => {
      let calls = 0;
      using listener = limited(kind, { maxPerClient: 0 }, {
        onRefused(_, conn) {
          calls++;
          conn.read(new Uint8Array(1));
          conn.write(bytes("busy"));
          conn.closeWrite();
          conn.write(bytes("too late"));
          conn.writable.getWriter().write(bytes("too late"));
          new Response(conn.readable).text();
        },
      });
      const kept = keepAll(listener);
      const { port } = listener.addr;
      // These would fail the test as unhandled rejections.
      resetUnaccepted(port, 3);
      using client = await connectFrom("127.0.0.1", port);
      await ended(client);
      await eventually(() => calls === 4, "all to be refused");
      await aWhile();
      listener.close();
      assertEquals(await kept, []);
    },
  );
}

test("withSlot() frees at once the slot for a connection that was refused and is closed", async () => {
  const accounts = new Limiter();
  const refused: BunConn[] = [];
  using listener = limited(PLAIN, { maxPerClient: 0 }, { onRefused: (_, conn) => void refused.push(conn) });
  assertStrictEquals(await turnedAway(listener.addr.port), "FIN");
  assertStrictEquals(withSlot(refused[0]!, accounts.accept({ key: "alice" })).slot.released, true);
});

test("limitedListener() takes new limits while it runs", async () => {
  using listener = limited(PLAIN, { maxPerClient: 1 });
  const { limiter, addr: { port } } = listener;
  const clients: Client[] = [];
  const open = async () => {
    clients.push(await connectFrom("127.0.0.1", port));
    await answered(limiter, clients.length);
    return limiter.open;
  };
  assertEquals([await open(), await open()], [1, 1]);
  limiter.setLimits({ maxPerClient: 2 });
  assertStrictEquals(await open(), 2);
  limiter.setLimits({ maxPerClient: 1 });
  assertStrictEquals(await open(), 2);
  closeAll(clients);
});

test("limitedListener() counts the connections of listeners that share a limiter together", async () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  using one = limited(PLAIN, limiter);
  using other = limited(TLS, limiter);
  using first = await connectFrom("127.0.0.1", one.addr.port);
  await eventually(() => limiter.open === 1, "the first to be admitted");
  using second = await connectFrom("127.0.0.1", other.addr.port);
  await ended(second);
  assertStrictEquals(limiter.stats().refused, 1);
  first.reset();
});

test("limitedListener() can be limited again, and then both limiters count", async () => {
  const accounts = new Limiter({ maxPerClient: 1 });
  const inner = limited(PLAIN, { maxPerClient: 2 });
  using outer = limitedListener(inner, accounts);
  const kept = keepAll(outer);
  const clients = await Promise.all([1, 2, 3].map(() => connectFrom("127.0.0.1", inner.addr.port)));
  // By which of the two depends on how quickly the third comes.
  await eventually(() => accounts.stats().refused + inner.limiter.stats().refused === 2, "two to be refused");
  assertEquals([inner.limiter.open, accounts.open], [1, 1]);
  outer.close();
  closeAll(await kept);
  assertEquals([inner.limiter.open, accounts.open], [0, 0]);
  await Promise.all(clients.map(ended));
});

test("limitedListener() can be taken of a listener once, which then takes no other handlers", () => {
  const native = Bun.listen(onLoopback);
  using listener = limitedListener(native);
  assertThrows(() => limitedListener(native), TypeError, "not limited already");
  assertThrows(() => native.reload({ socket: { data() {} } }), TypeError, "reload()");
  const stopped = Bun.listen(onLoopback);
  stopped.stop();
  assertThrows(() => limitedListener(stopped), TypeError, "listener must be one that listens");
  listener.ref();
});

test("limitedListener() loses nobody who has come before it in the same turn of the event loop", async () => {
  const handler = () => {
    throw new Error("a handler of before was called");
  };
  const native = Bun.listen({ ...onLoopback, socket: { open: handler, data: handler, close: handler } });
  const code = `
    import { connect } from "node:net";
    import { once } from "node:events";
    for (let i = 0; i < 5; i++) {
      const socket = connect(${native.port}, "127.0.0.1");
      await once(socket, "connect");
      socket.end("hello " + i);
      await once(socket, "finish");
    }
    process.exit();
  `;
  assertStrictEquals(Bun.spawnSync([process.execPath, "-e", code], { stderr: "inherit" }).exitCode, 0);
  using listener = limitedListener(native, { maxPerClient: 4 });
  await answered(listener.limiter, 5);
  assertEquals([listener.limiter.open, listener.limiter.stats().refused], [4, 1]);
  for (let i = 0; i < 4; i++) {
    assertStrictEquals(await new Response((await listener.accept()).readable).text(), `hello ${i}`);
  }
  assertStrictEquals(listener.limiter.open, 0);
});

test("limitedListener() leaves a listener alone when its limits or options are wrong", async () => {
  const native = Bun.listen({ ...onLoopback, socket: { data: (socket) => void socket.write("not limited") } });
  assertThrows(() => limitedListener(native, { maxPerClient: -1 }), RangeError, "maxPerClient");
  assertThrows(() => limitedListener(native, {}, { onRefuse() {} } as never), TypeError, '"onRefuse"');
  assertThrows(() => limitedListener(Bun.serve as never), TypeError, "listener must be a listener of Deno's or Bun's");
  using client = await connectFrom("127.0.0.1", native.port);
  const data = once(client.socket, "data");
  client.socket.write("hello");
  assertStrictEquals(`${(await data)[0]}`, "not limited");
  native.stop(true);
});

test("limitedListener() over a listen() that was used before limits what waits in it, too", async () => {
  const native = listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = native.addr;
  const clients: Client[] = [];
  for (let i = 0; i < 4; i++) clients.push(await connectFrom("127.0.0.1", port));
  using early = await native.accept();
  await aWhile();
  const refused: string[] = [];
  using listener = limitedListener(native, { maxPerClient: 2 }, {
    onRefused: ({ reason }, conn) => {
      refused.push(reason);
      conn.write(bytes("busy"));
    },
  });
  const { limiter } = listener;
  // The early one is its owner's. Of the three that wait, two are admitted.
  assertEquals([limiter.open, refused], [2, ["client"]]);
  assertStrictEquals(await ended(clients[3]!), "busy");
  const ports = [early, await listener.accept(), await listener.accept()].map(({ remoteAddr }) => remoteAddr.port);
  assertEquals(ports, clients.slice(0, 3).map(({ socket }) => socket.localPort!));
  assertStrictEquals(await listener.shutdown({ timeout: 0 }), 3);
  assertStrictEquals(limiter.open, 0);
  early.close();
  await ended(clients[0]!);
});

test("listen() is a listener by itself, without limits", async () => {
  const before = openSockets();
  {
    using listener = listen({ hostname: "127.0.0.1", port: 0 });
    const kept = keepAll(listener);
    const clients = await Promise.all([1, 2, 3].map(() => connectFrom("127.0.0.1", listener.addr.port)));
    await aWhile();
    listener.close();
    const conns = await kept;
    assertStrictEquals(conns.length, 3);
    closeAll(conns);
    await Promise.all(clients.map(ended));
  }
  await eventually(() => openSockets() === before, "every socket to be closed");
});

test("listen() refuses bad options, and tells of a port that is taken", () => {
  // deno-lint-ignore no-explicit-any
  const make = (options: any) => () => listen(options);
  assertThrows(make({ port: 0, backlog: 5 }), TypeError, 'unknown listen option "backlog"');
  assertThrows(make(7000), TypeError, "options must be a plain object, got 7000");
  using listener = listen({ hostname: "127.0.0.1", port: 0 });
  assertThrows(make({ hostname: "127.0.0.1", port: listener.addr.port }), Error, "");
});

test("limitedListener() ends the loop when it is closed while nobody comes", async () => {
  const listener = limited(PLAIN);
  const kept = keepAll(listener);
  await aWhile();
  listener.close();
  listener.close();
  listener[Symbol.dispose]();
  assertEquals(await within(kept, "the loop to end"), []);
  assertStrictEquals(await nameOfError(listener.accept()), "BadResource");
});

test("limitedListener() closes the listener when the loop is left by break, throw or return()", async () => {
  const leave: Record<string, (listener: AsyncIterable<LimitedConn<BunConn>>, kept: Disposable[]) => Promise<unknown>> =
    {
      break: async (listener, kept) => {
        for await (const conn of listener) {
          kept.push(conn);
          break;
        }
      },
      throw: (listener, kept) =>
        assertRejects(async () => {
          for await (const conn of listener) {
            kept.push(conn);
            throw new Error("from the body");
          }
        }),
      "return()": async (listener, kept) => {
        const iterator = listener[Symbol.asyncIterator]();
        kept.push((await iterator.next()).value!);
        const next = iterator.next();
        assertEquals(await iterator.return!(), { done: true, value: undefined });
        assertEquals(await within(next, "next()"), { done: true, value: undefined });
        assertEquals(await iterator.next(), { done: true, value: undefined });
      },
    };
  for (const [name, use] of Object.entries(leave)) {
    const listener = limited(PLAIN);
    const { port } = listener.addr;
    using client = await connectFrom("127.0.0.1", port);
    const kept: Disposable[] = [];
    await use(listener, kept);
    assertStrictEquals(await nameOfError(listener.accept()), "BadResource", name);
    await assertRejects(() => connectFrom("127.0.0.1", port));
    // What was taken out of it is not its business any more.
    await aWhile();
    assertEquals([kept.length, listener.limiter.open], [1, 1], name);
    closeAll(kept);
    await ended(client);
  }
});

test("limitedListener() is closed by its signal, before and while it accepts", async () => {
  const abort = new AbortController();
  const kept = keepAll(limited(PLAIN, {}, { signal: abort.signal }));
  await aWhile();
  abort.abort();
  assertEquals(await within(kept, "the loop to end"), []);
  assertEquals(await within(keepAll(limited(PLAIN, {}, { signal: abort.signal })), "the loop to end"), []);
});

test("LimitedListener.accept() admits one at a time, as Deno's does", async () => {
  using listener = limited(PLAIN);
  using client = await connectFrom("127.0.0.1", listener.addr.port);
  using conn = await listener.accept();
  assertStrictEquals(conn.slot.client, "127.0.0.1");
  const pending = listener.accept();
  assertStrictEquals(await nameOfError(listener.accept()), "Busy");
  listener.close();
  assertStrictEquals(await nameOfError(pending), "BadResource");
  conn.close();
  await ended(client);
});

test("LimitedListener.shutdown() waits for open connections and closes what is left at the deadline", async () => {
  for (const kind of [PLAIN, TLS]) {
    const listener = limited(kind);
    const { limiter, addr: { port } } = listener;
    const kept = keepAll(listener);
    const clients = await Promise.all([1, 2, 3].map(() => connect(kind, port)));
    await eventually(() => limiter.open === 3, "the clients to be admitted");
    const stopped = listener.shutdown({ timeout: 100 });
    const [first] = await within(kept, "the loop to end");
    first!.close();
    assertStrictEquals(limiter.open, 2);
    assertStrictEquals(await stopped, 2);
    assertStrictEquals(limiter.open, 0);
    await Promise.all(clients.map(ended));
    assertStrictEquals(await listener.shutdown(), 0);
  }
});

test("LimitedListener.shutdown() is done as soon as nothing is open, whatever is open elsewhere", async () => {
  const limiter = new Limiter();
  const [one, other] = [limited(PLAIN, limiter), limited(PLAIN, limiter)];
  const kept = [keepAll(one), keepAll(other)];
  using first = await connectFrom("127.0.0.1", one.addr.port);
  using second = await connectFrom("127.0.0.1", other.addr.port);
  await eventually(() => limiter.open === 2, "both to be admitted");
  const stopped = one.shutdown({ timeout: Infinity });
  closeAll(await kept[0]!);
  assertStrictEquals(await within(stopped, "the shutdown"), 0);
  assertStrictEquals(limiter.open, 1);
  assertStrictEquals(await other.shutdown({ timeout: 0 }), 1);
  closeAll(await kept[1]!);
  await Promise.all([ended(first), ended(second)]);
});

test("limitedListener() counts an IPv4 client the same on a dual-stack listener, and IPv6 clients by their /64", {
  skip: noIPv6,
}, async () => {
  const natives = [Bun.listen({ ...onLoopback, hostname: "::" }), listen({ hostname: "::", port: 0 })] as const;
  for (const native of natives) {
    using listener = "accept" in native
      ? limitedListener(native, { maxPerClient: 1 })
      : limitedListener(native, { maxPerClient: 1 });
    const { port } = listener.addr;
    using four = await connectFrom("127.0.0.1", port);
    using first = await listener.accept();
    using six = await connectFrom("::1", port, "::1");
    using second = await listener.accept();
    assertEquals([first.slot.client, second.slot.client], ["127.0.0.1", "::/64"]);
    assertEquals([first.remoteAddr.hostname, second.remoteAddr.hostname], ["::ffff:127.0.0.1", "::1"]);
    assertStrictEquals(second.localAddr.hostname, "::1");
    using again = await connectFrom("127.0.0.1", port);
    assertStrictEquals(await ended(again), "");
    four.reset();
    six.reset();
    await within(listener.limiter.idle(), "the limiter to be idle");
  }
});

test("limitedListener() counts all peers of a Unix socket as one client", { skip: noUnixSockets }, async () => {
  const folder = mkdtempSync(`${tmpdir()}/connlimit-`);
  try {
    const path = `${folder}/socket`;
    const make = [
      () => limitedListener(Bun.listen({ unix: path, socket: { data() {} } }), { maxPerClient: 2 }),
      () => limitedListener(listen({ transport: "unix", path }), { maxPerClient: 2 }),
    ];
    for (const listenAt of make) {
      using listener = listenAt();
      assertEquals(listener.addr, { transport: "unix", path });
      const clients = await Promise.all([1, 2, 3].map(() => Bun.connect({ unix: path, socket: { data() {} } })));
      await answered(listener.limiter, 3);
      assertEquals([...listener.limiter.clients()], [{ client: "unix", open: 2 }]);
      using first = await listener.accept();
      assertEquals([first.remoteAddr, first.localAddr], [{ transport: "unix", path: null }, {
        transport: "unix",
        path: null,
      }]);
      using second = await listener.accept();
      second.close();
      assertStrictEquals(listener.limiter.open, 1);
      for (const client of clients) client.end();
      assertStrictEquals(await first.read(new Uint8Array(1)), null);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("limitedListener() keeps the process running as Bun's listener does, and lets it end where it is unreferenced", async () => {
  const code = (end: string) => `
    import { limitedListener } from "@connlimit/connlimit";
    import { listen } from "@connlimit/connlimit/bun";
    const listeners = [
      limitedListener(listen({ hostname: "127.0.0.1", port: 0 })),
      limitedListener(Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } })),
    ];
    for (const listener of listeners) {
      listener.unref(); listener.ref(); ${end}
      (async () => { for await (const _ of listener); })();
    }
    console.log("running");
  `;
  for (const [end, ends] of [["listener.unref();", true], ["listener.close();", true], ["", false]] as const) {
    await withBun(["-e", code(end)], async ({ started, exited, end }) => {
      assertStrictEquals(await within(started, "the process to run"), "running\n");
      if (!ends) {
        assertStrictEquals(await Promise.race([exited, aWhile()]), undefined);
        end();
      }
      assertStrictEquals(await within(exited, "the process to end"), ends ? 0 : null);
    });
  }
});
