import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect as connectTls } from "node:tls";
import { tmpdir } from "node:os";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { limitSocketHandler } from "@connlimit/connlimit/bun";
import { certificate, type Client, connectFrom, ended, eventually, openSockets, within } from "../support/net.ts";
import { CLIENT_ADDRESS, findSockets, notLinux, noUnixSockets } from "../support/platform.ts";
import {
  address,
  answered,
  aWhile,
  closeAll,
  connect,
  type IsOpen,
  type Kind,
  KINDS,
  PLAIN,
  resetUnaccepted,
  served,
  testSockets as test,
  TLS,
  turnedAway,
  withBun,
} from "./support.ts";

type Socket = Bun.Socket<undefined>;
type Handlers = Bun.SocketHandler<undefined>;
type Listener = Bun.TCPSocketListener<undefined>;

/** Nothing to do; but Bun wants a handler for data. */
const data = () => {};

function serve(kind: Kind, handlers: Handlers): Listener {
  return Bun.listen<undefined>({ ...address(kind), socket: handlers });
}

interface Served {
  readonly socket: Socket;
  readonly client: Client;
  readonly limiter: Limiter;
  readonly isOpen: IsOpen;
  readonly listener: Listener;
  /** The handlers that were called, by name. */
  readonly events: string[];
}

/** An admitted connection, all of whose handlers are noted, and a check that nothing of it is left. */
async function withServed(
  kind: Kind,
  use: (served: Served) => unknown,
  handlers: Partial<Handlers> = {},
): Promise<void> {
  const before = openSockets();
  const limiter = new Limiter();
  const events: string[] = [];
  let socket: Socket | undefined;
  const noting: Handlers = {
    open(accepted) {
      events.push("open");
      socket = accepted;
      return handlers.open?.(accepted);
    },
    data(socket, chunk) {
      events.push("data");
      return handlers.data?.(socket, chunk);
    },
    end(socket) {
      events.push("end");
      return handlers.end?.(socket);
    },
    error(socket, error) {
      events.push(`error: ${error.message}`);
      return handlers.error?.(socket, error);
    },
    close(socket, error) {
      events.push("close");
      return handlers.close?.(socket, error);
    },
  };
  const listener = serve(kind, limitSocketHandler(limiter, noting));
  const others = findSockets();
  const client = await connect(kind, listener.port);
  await eventually(() => socket !== undefined, "the connection to be open");
  try {
    await use({ socket: socket!, client, limiter, isOpen: served(others, client), listener, events });
  } finally {
    client[Symbol.dispose]();
    listener.stop(true);
  }
  await eventually(() => limiter.open === 0, "the slot to be free");
  await eventually(() => openSockets() === before, "every socket to be closed");
  assertEquals(events.filter((event) => event === "open" || event === "close"), ["open", "close"]);
}

/** How a connection ends, or what makes it stay open. */
type Usage = (served: Served) => unknown;

/** Over TLS these wait until the client has ended its side, too. */
const ENDS: Readonly<Record<string, Usage>> = {
  "end()": ({ socket }) => socket.end(),
  "end() with data": ({ socket }) => socket.end("good bye"),
  "dispose": ({ socket }) => socket[Symbol.dispose](),
  "write() and end()": ({ socket }) => {
    socket.write("good bye");
    socket.end();
  },
  "end(), close() and terminate()": ({ socket }) => {
    socket.end();
    socket.close();
    socket.terminate();
  },
  "the listener's stop(), and then end()": ({ socket, listener }) => {
    listener.stop();
    socket.end();
  },
};

const CLOSES: Readonly<Record<string, Usage>> = {
  "close()": ({ socket }) => socket.close(),
  "terminate()": ({ socket }) => socket.terminate(),
  "the listener's stop(true)": ({ listener }) => listener.stop(true),
  "close() of a paused socket": ({ socket }) => {
    socket.pause();
    socket.close();
  },
};

const CLOSED_BY_CLIENT: Readonly<Record<string, Usage>> = {
  "the client's RST": ({ client }) => client.reset(),
  "the client's RST while paused": ({ socket, client }) => {
    socket.pause();
    client.reset();
  },
  "the client's RST after data that was not read": async ({ socket, client }) => {
    socket.pause();
    client.socket.write("unread");
    await aWhile();
    client.reset();
  },
  "the client's RST while a write is stuck": ({ socket, client }) => {
    client.socket.pause();
    while (socket.write(new Uint8Array(1 << 20)) > 0);
    client.reset();
  },
  "the client's FIN after the server's shutdown()": ({ socket, client }) => {
    socket.shutdown();
    client.fin();
  },
};

const STAYS_OPEN: Readonly<Record<string, Usage>> = {
  "nothing at all": () => {},
  "the client's FIN while paused": async ({ socket, client }) => {
    socket.pause();
    // TLS sees an end that it has received before.
    await aWhile();
    client.fin();
  },
  "the client's data": ({ client }) => void client.socket.write("words"),
  "the listener's stop()": ({ listener }) => listener.stop(),
  "unref()": ({ socket }) => socket.unref(),
};

for (const kind of KINDS) {
  for (const [name, use] of Object.entries(kind.tls ? CLOSES : { ...CLOSES, ...ENDS })) {
    test(`limitSocketHandler() frees the slot at once (${kind.name}): ${name}`, () =>
      withServed(kind, async (served) => {
        assertStrictEquals(served.limiter.open, 1);
        await use(served);
        assertEquals([served.isOpen(), served.limiter.open], [false, 0]);
      }));
  }

  for (const [name, use] of Object.entries(kind.tls ? { ...CLOSED_BY_CLIENT, ...ENDS } : CLOSED_BY_CLIENT)) {
    test(`limitSocketHandler() frees the slot when Bun closes the connection (${kind.name}): ${name}`, () =>
      withServed(kind, async (served) => {
        served.client.socket.resume();
        await use(served);
        await eventually(() => !served.isOpen(), "the descriptor to be closed");
        assertStrictEquals(served.limiter.open, 0);
      }));
  }

  for (const [name, use] of Object.entries(STAYS_OPEN)) {
    test(`limitSocketHandler() holds the slot (${kind.name}): ${name}`, () =>
      withServed(kind, async (served) => {
        await use(served);
        await aWhile();
        assertEquals([served.isOpen(), served.limiter.open], [true, 1]);
      }));
  }

  test(`limitSocketHandler() holds the slot after the client's FIN where connections are half-open (${kind.name})`, () =>
    withServed(kind, async ({ client, events, isOpen, limiter, socket }) => {
      client.fin();
      await eventually(() => events.includes("end"), "the end");
      await aWhile();
      assertEquals([isOpen(), limiter.open], kind.halfOpen ? [true, 1] : [false, 0]);
      socket.close();
      assertEquals([isOpen(), limiter.open], [false, 0]);
    }));

  for (const handler of ["data", "end", "close"] as const) {
    test(`limitSocketHandler() keeps slot and descriptor together when the handler ${handler} throws (${kind.name})`, () =>
      withServed(kind, async ({ client, events, isOpen, limiter }) => {
        client.socket.end("words");
        if (handler === "close") client.reset();
        await eventually(() => events.includes(`error: from ${handler}`), "the error");
        await aWhile();
        assertStrictEquals(limiter.open, isOpen() ? 1 : 0);
        if (handler === "close") assertStrictEquals(limiter.open, 0);
      }, {
        [handler]: () => {
          throw new Error(`from ${handler}`);
        },
      }));
  }

  test(`limitSocketHandler() frees the slot when the handler open throws, which closes the connection (${kind.name})`, async () => {
    const before = openSockets();
    const limiter = new Limiter();
    const events: string[] = [];
    const listener = serve(
      kind,
      limitSocketHandler(limiter, {
        open() {
          throw new Error("from open");
        },
        error: (_, error) => void events.push(error.message),
        close: () => void events.push("close"),
        data,
      }),
    );
    const client = await connect(kind, listener.port);
    await ended(client);
    await within(limiter.idle(), "the limiter to be idle");
    await eventually(() => openSockets() === before + 1, "every socket to be closed");
    assertEquals(events.toSorted(), ["close", "from open"]);
    listener.stop(true);
  });

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
    resetUnaccepted(listener.port, 5);
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

  test(`limitSocketHandler() calls the handlers as Bun does (${kind.name})`, async () => {
    const calls: string[] = [];
    const note = (name: string, self: unknown, socket: unknown, ...args: unknown[]) => {
      assertStrictEquals(self, socket);
      calls.push([name, ...args.map(String)].join(" "));
    };
    class Server {
      binaryType = "uint8array" as const;
      open(socket: Socket) {
        note("open", this, socket);
      }
      get data() {
        return function (this: unknown, socket: Socket, chunk: Uint8Array) {
          note("data", this, socket, new TextDecoder().decode(chunk), chunk.constructor.name);
          socket.write("pong");
        };
      }
      end(socket: Socket) {
        note("end", this, socket);
        socket.end();
      }
      close(socket: Socket) {
        note("close", this, socket);
      }
    }
    for (const handlers of [new Server(), Object.freeze(new Server())]) {
      calls.length = 0;
      const limiter = new Limiter();
      const limited = limitSocketHandler(limiter, handlers as unknown as Handlers);
      // Read once, as by Bun.
      if (!Object.isFrozen(handlers)) {
        (handlers as Server).close = () => assert(false, "a handler that was put in place later");
      }
      const listener = serve(kind, limited);
      using client = await connect(kind, listener.port);
      const pong = once(client.socket, "data");
      client.socket.write("ping");
      await pong;
      client.fin();
      await ended(client);
      await within(limiter.idle(), "the limiter to be idle");
      assertEquals(calls, ["open", "data ping Uint8Array", "end", "close"]);
      listener.stop(true);
    }
  });

  test(`limitSocketHandler() is content with one handler (${kind.name})`, async () => {
    for (const handlers of [{ data }, { drain: data }, { data, open: null, close: undefined, handshake: null }]) {
      const limiter = new Limiter();
      const listener = serve(kind, limitSocketHandler(limiter, handlers as Handlers));
      using client = await connect(kind, listener.port);
      await eventually(() => limiter.open === 1, "the client to be admitted");
      client.reset();
      await within(limiter.idle(), "the limiter to be idle");
      listener.stop(true);
    }
  });

  test(`limitSocketHandler() keeps limits and slots when handlers are replaced (${kind.name})`, async () => {
    const reloads: Record<string, (listener: Listener, socket: Socket, handlers: Handlers) => void> = {
      "listener.reload()": (listener, _, handlers) => listener.reload({ socket: handlers }),
      "socket.reload()": (_, socket, handlers) => socket.reload({ socket: handlers } as never),
    };
    for (const [name, reload] of Object.entries(reloads)) {
      const limiter = new Limiter({ maxPerClient: 2 });
      const sockets: Socket[] = [];
      const open = (socket: Socket) => void sockets.push(socket);
      const listener = serve(kind, limitSocketHandler(limiter, { open, data }));
      using first = await connect(kind, listener.port);
      await eventually(() => sockets.length === 1, "the first to be open");
      const events: string[] = [];
      const noting = (which: string): Handlers => ({
        open,
        data,
        close: () => void events.push(which),
      });
      for (const which of ["second", "third"]) reload(listener, sockets[0]!, noting(which));
      using second = await connect(kind, listener.port);
      await eventually(() => sockets.length === 2, "the second to be open");
      using refused = await connectFrom("127.0.0.1", listener.port);
      assertStrictEquals(await ended(refused), "", name);
      first.reset();
      await eventually(() => limiter.open === 1, "the slot to be free");
      second.reset();
      await within(limiter.idle(), "the limiter to be idle");
      assertEquals(events, ["third", "third"], name);
      listener.stop(true);
    }
  });

  test(`limitSocketHandler() frees the slots of a former limiter, too (${kind.name})`, async () => {
    const [former, latter] = [new Limiter({ maxPerClient: 1 }), new Limiter({ maxPerClient: 1 })];
    const listener = serve(kind, limitSocketHandler(former, { data }));
    using first = await connect(kind, listener.port);
    await eventually(() => former.open === 1, "the first to be admitted");
    listener.reload({ socket: limitSocketHandler(latter, { data }) });
    using second = await connect(kind, listener.port);
    await eventually(() => latter.open === 1, "the second to be admitted");
    // And those of both stay known when handlers without a limit come.
    listener.reload({ socket: limitSocketHandler(former, limitSocketHandler(latter, { data })) });
    listener.reload({ socket: { data } });
    using third = await connectFrom("127.0.0.1", listener.port);
    await ended(third);
    assertEquals([former.stats().refused, latter.stats().refused], [1, 0]);
    first.reset();
    await within(former.idle(), "the former to be idle");
    using fourth = await connectFrom("127.0.0.1", listener.port);
    await ended(fourth);
    assertEquals([former.open, latter.open, latter.stats().refused], [0, 1, 1]);
    second.reset();
    await within(latter.idle(), "the latter to be idle");
    using fifth = await connect(kind, listener.port);
    await eventually(() => latter.open === 1 && former.open === 1, "both to admit");
    listener.stop(true);
    assertEquals([former.open, latter.open], [0, 0]);
    await ended(fifth);
  });

  test(`limitSocketHandler() keeps the limits when handlers are replaced after nothing but refusals (${kind.name})`, async () => {
    const limiter = new Limiter({ maxPerClient: 0 });
    const listener = serve(kind, limitSocketHandler(limiter, { data }));
    for (let i = 1; i <= 3; i++) {
      using client = await connectFrom("127.0.0.1", listener.port);
      await ended(client);
      assertStrictEquals(limiter.stats().refused, i);
      listener.reload({ socket: { data } });
    }
    listener.stop(true);
  });

  test(`limitSocketHandler() holds on to what it has when bad handlers are to replace it (${kind.name})`, async () => {
    const limiter = new Limiter();
    const listener = serve(kind, limitSocketHandler(limiter, { data }));
    using client = await connect(kind, listener.port);
    await eventually(() => limiter.open === 1, "the client to be admitted");
    for (const bad of [{}, { data: 7 }, { data, close: 7 }, null, undefined]) {
      assertThrows(() => listener.reload({ socket: bad as unknown as Handlers }), TypeError);
    }
    client.reset();
    await within(limiter.idle(), "the limiter to be idle");
    listener.stop(true);
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

  test(`limitSocketHandler() leaves socket.data to its owner (${kind.name})`, async () => {
    const limiter = new Limiter();
    const seen: unknown[] = [];
    const listener = Bun.listen<{ name: string }>({
      ...address(kind),
      data: { name: "shared" },
      socket: limitSocketHandler(limiter, {
        open(socket: Bun.Socket<{ name: string }>) {
          seen.push(socket.data.name);
          socket.data = { name: "own" };
        },
        close: (socket: Bun.Socket<{ name: string }>) => void seen.push(socket.data.name),
        data,
      }),
    });
    using client = await connect(kind, listener.port);
    await eventually(() => seen.length === 1, "the client to be open");
    client.reset();
    await within(limiter.idle(), "the limiter to be idle");
    assertEquals(seen, ["shared", "own"]);
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
  const folder = mkdtempSync(`${tmpdir()}/connlimit-`);
  try {
    const unix = `${folder}/socket`;
    const limiter = new Limiter({ maxPerClient: 2 });
    const listener = Bun.listen<undefined>({ unix, socket: limitSocketHandler(limiter, { data }) });
    const clients = await Promise.all([1, 2, 3].map(() => Bun.connect({ unix, socket: { data } })));
    await answered(limiter, 3);
    assertEquals([...limiter.clients()], [{ client: "unix", open: 2 }]);
    for (const client of clients) client.end();
    await within(limiter.idle(), "the limiter to be idle");
    listener.stop(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("limitSocketHandler() calls open after the handshake, or before it where there is a handler for that", async () => {
  for (const hasHandshake of [false, true]) {
    const events: string[] = [];
    const limiter = new Limiter();
    const noting: Handlers = {
      open: () => void events.push("open"),
      close: () => void events.push("close"),
      data,
      ...(hasHandshake ? { handshake: (_: Socket, success: boolean) => void events.push(`handshake ${success}`) } : {}),
    };
    const listener = serve(TLS, limitSocketHandler(limiter, noting));
    {
      using client = await connect(TLS, listener.port);
      await eventually(() => events.length === (hasHandshake ? 2 : 1), "the handshake");
      client.reset();
      await within(limiter.idle(), "the limiter to be idle");
    }
    assertEquals(events.splice(0), hasHandshake ? ["open", "handshake true", "close"] : ["open", "close"]);
    using garbage = await connectFrom("127.0.0.1", listener.port);
    garbage.socket.write("GET / HTTP/1.1\r\n\r\n");
    await ended(garbage);
    await within(limiter.idle(), "the limiter to be idle");
    assertEquals(events, hasHandshake ? ["open", "handshake false", "close"] : []);
    listener.stop(true);
  }
});

test("limitSocketHandler() frees the slot of a connection that was upgraded to TLS, however it ends", async () => {
  type Upgraded = [raw: Bun.Socket<unknown>, tls: Bun.Socket<unknown>];
  const ends: Record<string, (upgraded: Upgraded, client: Client, listener: Listener) => unknown> = {
    "tls.end()": ([, tls]) => tls.end(),
    "tls.terminate()": ([, tls]) => tls.terminate(),
    "raw.end()": ([raw]) => raw.end(),
    "raw.terminate()": ([raw]) => raw.terminate(),
    // Which leaves such a connection open.
    "stop(true) and RST": (_, client, listener) => {
      listener.stop(true);
      client.reset();
    },
    "FIN": (_, client) => client.fin(),
    "RST": (_, client) => client.reset(),
    "garbage": (_, { socket }) => socket.write("GET / HTTP/1.1\r\n\r\n"),
  };
  for (const [name, end] of Object.entries(ends)) {
    for (const halfOpen of [true, false]) {
      const before = openSockets();
      const limiter = new Limiter();
      let upgraded: Upgraded | undefined;
      const listener = serve(
        { ...PLAIN, halfOpen },
        limitSocketHandler(limiter, {
          open(socket) {
            upgraded = socket.upgradeTLS({
              isServer: true,
              tls: certificate(),
              socket: { data, end: (socket: Bun.Socket<unknown>) => void socket.end() },
            } as never) as unknown as Upgraded;
          },
          data,
        }),
      );
      using client = await connectFrom("127.0.0.1", listener.port);
      await eventually(() => upgraded !== undefined, "the upgrade");
      if (name !== "garbage") {
        const tls = connectTls({ socket: client.socket, servername: "localhost", ca: certificate().cert });
        tls.on("error", () => {});
        await within(once(tls, "secureConnect"), "the handshake");
      }
      assertStrictEquals(limiter.open, 1);
      end(upgraded!, client, listener);
      await eventually(() => limiter.open === 0, `the slot to be free after ${name}`);
      client[Symbol.dispose]();
      listener.stop(true);
      await eventually(() => openSockets() === before, "every socket to be closed");
    }
  }
});

test("limitSocketHandler() takes async handlers, and what they reject with is as unhandled as without it", async () => {
  const code = `
    import { connect } from "node:net";
    import { Limiter } from "@connlimit/connlimit";
    import { limitSocketHandler } from "@connlimit/connlimit/bun";
    const limiter = new Limiter();
    process.on("unhandledRejection", ({ message }) => {
      console.log(message, limiter.open);
      if (message === "data") client.resetAndDestroy();
      if (message === "close") process.exit();
    });
    const rejects = (name) => async () => { throw new Error(name); };
    const socket = limitSocketHandler(limiter, { open: rejects("open"), data: rejects("data"), close: rejects("close") });
    const { port } = Bun.listen({ hostname: "127.0.0.1", port: 0, socket });
    const client = connect(port, "127.0.0.1", () => client.write("words"));
  `;
  const printed = await withBun(["-e", code], async ({ started, output }) => await started + await output);
  assertEquals(printed.split("\n"), ["open 1", "data 1", "close 0", ""]);
});

test("limitSocketHandler() refuses what Bun refuses, and bad options", () => {
  // deno-lint-ignore no-explicit-any
  const make = (...args: any[]) => () => (limitSocketHandler as any)(...args);
  assertThrows(() => serve(PLAIN, limitSocketHandler({}, {} as Handlers)), TypeError, "at least");
  assertThrows(() => serve(PLAIN, limitSocketHandler({}, { data: 7 } as unknown as Handlers)), TypeError, "onData");
  for (const name of ["open", "close", "handshake"]) {
    assertThrows(make({}, { data, [name]: 7 }), TypeError, `${name} must be a function, got 7`);
  }
  assertThrows(make({}, null), TypeError, "handlers must be an object, got null");
  assertThrows(make({}, "data"), TypeError, 'handlers must be an object, got "data"');
  assertThrows(make({ maxPerClient: -1 }, { data }), RangeError, "maxPerClient");
  assertThrows(make({}, { data }, { onRefuse() {} }), TypeError, 'unknown socket handler option "onRefuse"');
  assertThrows(make({}, { data }, { onRefused: 7 }), TypeError, "onRefused must be a function, got 7");
});

test("limitSocketHandler() cannot see that handlers are replaced before the first connection", async () => {
  const limiter = new Limiter({ maxPerClient: 0 });
  const listener = serve(PLAIN, limitSocketHandler(limiter, { data }));
  listener.reload({ socket: { open: (socket) => void socket.end("not limited"), data } });
  using client = await connectFrom("127.0.0.1", listener.port);
  assertStrictEquals(await ended(client), "not limited");
  assertStrictEquals(limiter.stats().refused, 0);
  listener.stop(true);
});
