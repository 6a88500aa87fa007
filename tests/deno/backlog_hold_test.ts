/**
 * `whenFull: "wait"` of limited listeners on Deno: newcomers wait in the backlog.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { type LimitedListener, limitedListener, Limiter, type LimitsOptions } from "@connlimit/connlimit";
import { aWhile, type Client, connectFrom, ended, eventually, leavingNoSocket, reply, within } from "../support/net.ts";

type Listening = LimitedListener<Deno.TcpConn, Deno.NetAddr>;

function listen(limits: Limiter | LimitsOptions): Listening {
  return limitedListener(Deno.listen({ hostname: "127.0.0.1", port: 0 }), limits, { whenFull: "wait" }) as Listening;
}

/** Sends back what comes. The result resolves when the loop ends. */
async function echo(listener: Listening): Promise<void> {
  for await (const conn of listener) conn.readable.pipeTo(conn.writable).catch(() => {});
}

const dial = (listener: Listening, from = "127.0.0.1") => connectFrom(from, listener.addr.port);

function dials(listener: Listening, count: number): Promise<Client[]> {
  return Promise.all(Array.from({ length: count }, () => dial(listener)));
}

Deno.test(
  "limitedListener() that waits serves wave after wave of twice as many clients as there is room for",
  leavingNoSocket(async () => {
    const listener = listen({ maxTotal: 5 });
    const serving = echo(listener);
    for (let wave = 0; wave < 10; wave++) {
      const clients = await dials(listener, 10);
      await Promise.all(clients.map(async (client) => {
        assertStrictEquals(await reply(client, "hello"), "hello");
        client[Symbol.dispose]();
      }));
    }
    await eventually(() => listener.limiter.open === 0, "all to be closed");
    const { admitted, refused, peak } = listener.limiter.stats();
    assertEquals([admitted, refused, peak], [100, 0, 5]);
    listener.close();
    await within(serving, "the loop to end");
  }),
);

Deno.test(
  "limitedListener() that waits accepts exactly as many as there is room for, and one for each that closes",
  leavingNoSocket(async () => {
    const listener = listen({ maxTotal: 5 });
    const conns: Deno.TcpConn[] = [];
    const serving = (async () => {
      for await (const conn of listener) conns.push(conn);
    })();
    const clients = await dials(listener, 12);
    for (let accepted = 5; accepted <= 12; accepted++) {
      await eventually(() => conns.length === accepted, `connection ${accepted} to be accepted`);
      await aWhile();
      assertEquals([conns.length, listener.limiter.open, listener.limiter.stats().pending], [accepted, 5, 0]);
      conns[accepted - 5]!.close();
    }
    conns.slice(8).forEach((conn) => conn.close());
    await Promise.all(clients.map(ended));
    assertEquals([listener.limiter.open, listener.limiter.stats().refused, listener.limiter.stats().peak], [0, 0, 5]);
    listener.close();
    await within(serving, "the loop to end");
  }),
);

for (const how of ["close", "shutdown", "return"] as const) {
  Deno.test(
    `limitedListener() that waits ends at once by ${how}(), and who waits is closed`,
    leavingNoSocket(async () => {
      const listener = listen({ maxTotal: 1 });
      const serving = echo(listener);
      using first = await dial(listener);
      assertStrictEquals(await reply(first, "hello"), "hello");
      using second = await dial(listener);
      await aWhile();
      const over = ended(second);
      if (how === "return") await within(listener[Symbol.asyncIterator]().return!(), "the iterator to end");
      else if (how === "close") listener.close();
      else await within(listener.shutdown({ timeout: 0 }), "the listener to end");
      await within(serving, "the loop to end");
      await within(over, "the client that waits to be closed");
      assertStrictEquals(listener.limiter.stats().admitted, 1);
      first[Symbol.dispose]();
      await eventually(() => listener.limiter.open === 0, "the slot to be free");
    }),
  );
}

Deno.test(
  "limitedListener() that waits accepts when a limit is raised, and nobody while maxTotal is 0",
  leavingNoSocket(async () => {
    const listener = listen({ maxTotal: 0 });
    const serving = echo(listener);
    const { limiter } = listener;
    const clients = await dials(listener, 3);
    const replies = clients.map((client) => reply(client, "hello"));
    await aWhile();
    assertEquals([limiter.stats().admitted, limiter.stats().refused], [0, 0]);
    for (const maxTotal of [1, 3]) {
      limiter.setLimits({ maxTotal });
      await eventually(() => limiter.open === maxTotal, `${maxTotal} to be admitted`);
    }
    assertEquals(await Promise.all(replies), ["hello", "hello", "hello"]);
    // A lowered limit closes nobody, and lets nobody in until there is room.
    limiter.setLimits({ maxTotal: 1 });
    const last = await dial(listener);
    const answer = reply(last, "hello");
    clients.slice(0, 2).forEach((client) => client[Symbol.dispose]());
    await eventually(() => limiter.open === 1, "two to be closed");
    await aWhile();
    assertStrictEquals(limiter.stats().admitted, 3);
    clients[2]![Symbol.dispose]();
    assertStrictEquals(await answer, "hello");
    last[Symbol.dispose]();
    await eventually(() => limiter.open === 0, "all to be closed");
    assertStrictEquals(limiter.stats().refused, 0);
    listener.close();
    await within(serving, "the loop to end");
  }),
);

Deno.test(
  "limitedListener() that waits refuses for every other limit once there is room",
  leavingNoSocket(async () => {
    const listener = listen({ maxTotal: 4, maxPerClient: 2 });
    const serving = echo(listener);
    using first = await dial(listener);
    using second = await dial(listener);
    await eventually(() => listener.limiter.open === 2, "two to be admitted");
    using third = await dial(listener);
    await ended(third);
    const { admitted, refused, refusedBy } = listener.limiter.stats();
    assertEquals([admitted, refused, refusedBy.client], [2, 1, 1]);
    for (const client of [first, second]) assertStrictEquals(await reply(client, "hello"), "hello");
    [first, second].forEach((client) => client[Symbol.dispose]());
    await eventually(() => listener.limiter.open === 0, "all to be closed");
    listener.close();
    await within(serving, "the loop to end");
  }),
);

Deno.test(
  "limitedListener() that waits shares the total with another, and neither passes it",
  leavingNoSocket(async () => {
    const limiter = new Limiter({ maxTotal: 3 });
    const listeners = [listen(limiter), listen(limiter)] as const;
    const serving = listeners.map(echo);
    await Promise.all(listeners.map(async (listener) => {
      for (const client of await dials(listener, 12)) {
        assertStrictEquals(await reply(client, "hello"), "hello");
        client[Symbol.dispose]();
      }
    }));
    await eventually(() => limiter.open === 0, "all to be closed");
    const { admitted, refused, peak } = limiter.stats();
    assertEquals([admitted, refused], [24, 0]);
    assert(peak <= 3, `${peak} were open`);
    listeners.forEach((listener) => listener.close());
    await within(Promise.all(serving), "the loops to end");
  }),
);
