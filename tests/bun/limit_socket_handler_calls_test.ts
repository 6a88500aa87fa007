/**
 * Bun calls limited handlers as it calls others: with the same `this`, the same data, and for the same events.
 *
 * @module
 */

import { once } from "node:events";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { limitSocketHandler } from "@connlimit/connlimit/bun";
import { connectFrom, ended, eventually, within } from "../support/net.ts";
import { data, type Handlers, serve, type Socket } from "../support/bun/with_served.ts";
import { address, connect, KINDS, TLS } from "../support/bun/kinds.ts";
import { testSockets as test } from "../support/bun/test_sockets.ts";
import { withBun } from "../support/bun/with_bun.ts";

for (const kind of KINDS) {
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
  const printed = await withBun(["-e", code], async (program) => {
    await within(program.ended, "the process to end");
    return program.output;
  });
  assertEquals(printed.split("\n"), ["open 1", "data 1", "close 0", ""]);
});
