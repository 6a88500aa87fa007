/**
 * Handlers are replaced. Limits and open connections stay known.
 *
 * @module
 */

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { limitSocketHandler } from "@connlimit/connlimit/bun";
import { connectFrom, ended, eventually, within } from "../support/net.ts";
import { data, type Handlers, type Listener, serve, type Socket } from "../support/bun/with_served.ts";
import { connect, KINDS, PLAIN } from "../support/bun/kinds.ts";
import { testSockets as test } from "../support/bun/test_sockets.ts";

for (const kind of KINDS) {
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
}

test("limitSocketHandler() cannot see that handlers are replaced before the first connection", async () => {
  const limiter = new Limiter({ maxPerClient: 0 });
  const listener = serve(PLAIN, limitSocketHandler(limiter, { data }));
  listener.reload({ socket: { open: (socket) => void socket.end("not limited"), data } });
  using client = await connectFrom("127.0.0.1", listener.port);
  assertStrictEquals(await ended(client), "not limited");
  assertStrictEquals(limiter.stats().refused, 0);
  listener.stop(true);
});
