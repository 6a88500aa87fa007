/**
 * Every way to end a connection with limited handlers, and every way that does not. A closed descriptor frees the slot;
 * an open one holds it.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { limitSocketHandler } from "@connlimit/connlimit/bun";
import { aWhile, ended, eventually, openSockets, within } from "../support/net.ts";
import { connect, KINDS } from "../support/bun/kinds.ts";
import { testSockets as test } from "../support/bun/test_sockets.ts";
import { data, serve, type Served, withServed } from "../support/bun/with_served.ts";

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
}
