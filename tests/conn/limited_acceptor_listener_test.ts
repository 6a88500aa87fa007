/**
 * The loop over a limited listener, and its end, on Deno and on Bun alike.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { type ConnLike, type LimitedConn, Limiter } from "@connlimit/connlimit";
import { nameOfError } from "../support/failures.ts";
import { answered, closeAll, keepAll } from "../support/listeners.ts";
import { type Listener, type Making, MAKINGS } from "../support/makings.ts";
import { aWhile, type Client, connectFrom, ended, eventually, within } from "../support/net.ts";
import { testUnless } from "../support/test_unless.ts";

/** The rules, by what they say. */
const RULES: Readonly<Record<string, (making: Making) => Promise<void>>> = {
  "limitedListener() takes new limits while it runs": async ({ listen }) => {
    const listener = listen({ maxPerClient: 1 });
    const { limiter, addr: { port } } = listener;
    const kept = keepAll(listener);
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
    listener.close();
    closeAll(await kept);
    await Promise.all(clients.map(ended));
  },

  "limitedListener() ends the loop when it is closed while an accept is pending": async ({ listen }) => {
    const listener = listen();
    const kept = keepAll(listener);
    await aWhile();
    listener.close();
    listener.close();
    listener[Symbol.dispose]();
    assertEquals(await within(kept, "the loop to end"), []);
    assertStrictEquals(await nameOfError(listener.accept()), "BadResource");
  },

  "limitedListener() is closed by its signal, before and while it accepts": async ({ listen }) => {
    const abort = new AbortController();
    const kept = keepAll(listen({}, { signal: abort.signal }));
    await aWhile();
    abort.abort();
    assertEquals(await within(kept, "the loop to end"), []);
    assertEquals(await within(keepAll(listen({}, { signal: abort.signal })), "the loop to end"), []);
  },

  "limitedListener() leaves nothing on its signal once it is closed": async ({ listen }) => {
    const abort = new AbortController();
    let listeners = 0;
    const { signal } = abort;
    const add = signal.addEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      const { signal: removal } = args[2] as AddEventListenerOptions;
      removal!.addEventListener("abort", () => listeners--);
      add(...args);
    };
    const listener = listen({}, { signal });
    assertStrictEquals(listeners, 1);
    listener.close();
    assertStrictEquals(listeners, 0);
    await Promise.resolve();
  },

  "LimitedListener.accept() admits one at a time, as Deno's does": async ({ listen, connect }) => {
    using listener = listen();
    using client = await connect(listener.addr.port);
    using conn = await listener.accept();
    assertStrictEquals(conn.slot.client, "127.0.0.1");
    const pending = listener.accept();
    assertStrictEquals(await nameOfError(listener.accept()), "Busy");
    listener.close();
    assertStrictEquals(await nameOfError(pending), "BadResource");
    conn.close();
    await ended(client);
  },

  "LimitedListener.shutdown() waits for open connections and closes what is left at the deadline": async (
    { listen, connect },
  ) => {
    const listener = listen();
    const { limiter, addr: { port } } = listener;
    const conns: LimitedConn[] = [];
    const kept = keepAll(listener, conns);
    const clients = await Promise.all([1, 2, 3].map(() => connect(port)));
    await eventually(() => conns.length === 3, "the clients to be admitted");
    const start = performance.now();
    const stopped = listener.shutdown({ timeout: 100 });
    // In the same turn, since the deadline may come with the next.
    conns[0]!.close();
    assertStrictEquals(limiter.open, 2);
    assertStrictEquals(await stopped, 2);
    // Timers may be early by less than a millisecond.
    assert(performance.now() - start >= 99, "it has not waited");
    assertStrictEquals(limiter.open, 0);
    assertEquals(await within(kept, "the loop to end"), conns);
    await Promise.all(clients.map(ended));
    assertStrictEquals(await listener.shutdown(), 0);
  },

  "LimitedListener.shutdown() is done as soon as nothing is open, whatever is open elsewhere": async (
    { listen, connect },
  ) => {
    const limiter = new Limiter();
    const [one, other] = [listen(limiter), listen(limiter)];
    const kept = [keepAll(one), keepAll(other)] as const;
    using first = await connect(one.addr.port);
    using second = await connect(other.addr.port);
    await eventually(() => limiter.open === 2, "both to be admitted");
    const stopped = one.shutdown({ timeout: Infinity });
    const [conn] = await kept[0];
    await aWhile();
    assertStrictEquals(limiter.open, 2);
    conn!.close();
    assertStrictEquals(await within(stopped, "the shutdown"), 0);
    assertStrictEquals(limiter.open, 1);
    assertStrictEquals(await other.shutdown({ timeout: 0 }), 1);
    closeAll(await kept[1]);
    await Promise.all([ended(first), ended(second)]);
  },

  "LimitedListener.shutdown() does not wait for another listener's connections": async ({ listen, connect }) => {
    const limiter = new Limiter();
    const [one, other] = [listen(limiter), listen(limiter)];
    const kept = [keepAll(one), keepAll(other)];
    using client = await connect(other.addr.port);
    await eventually(() => limiter.open === 1, "the client to be admitted");
    assertStrictEquals(await within(one.shutdown({ timeout: Infinity }), "the shutdown"), 0);
    assertStrictEquals(limiter.open, 1);
    assertStrictEquals(await other.shutdown({ timeout: 0 }), 1);
    await Promise.all(kept);
    await ended(client);
  },
};

/** The ways out of a loop over a listener, which keep the connection that they have got. */
const WAYS_OUT: Readonly<Record<string, (listener: Listener, kept: ConnLike[]) => Promise<unknown>>> = {
  "break": async (listener, kept) => {
    for await (const conn of listener) {
      kept.push(conn);
      break;
    }
  },
  "throw": (listener, kept) =>
    assertRejects(
      async () => {
        for await (const conn of listener) {
          kept.push(conn);
          throw new Error("from the body");
        }
      },
      Error,
      "from the body",
    ),
  "return()": async (listener, kept) => {
    const iterator = listener[Symbol.asyncIterator]();
    kept.push((await iterator.next()).value!);
    const next = iterator.next();
    assertEquals(await iterator.return!(), { done: true, value: undefined });
    assertEquals(await within(next, "next()"), { done: true, value: undefined });
    assertEquals(await iterator.next(), { done: true, value: undefined });
  },
};

/** By each way out the listener is closed, and what was taken out of it stays open. */
const LEAVING: Readonly<Record<string, (making: Making) => Promise<void>>> = Object.fromEntries(
  Object.entries(WAYS_OUT).map(([name, leave]) => [
    `limitedListener() closes the listener when the loop is left by ${name}, and open connections stay open`,
    async ({ listen, connect }: Making) => {
      const listener = listen();
      const { port } = listener.addr;
      using client = await connect(port);
      const kept: ConnLike[] = [];
      await leave(listener, kept);
      assertStrictEquals(await nameOfError(listener.accept()), "BadResource");
      await assertRejects(() => connect(port));
      await aWhile();
      assertEquals([kept.length, client.socket.destroyed, listener.limiter.open], [1, false, 1]);
      closeAll(kept);
      await ended(client);
    },
  ]),
);

for (const making of MAKINGS) {
  for (const [rule, holds] of Object.entries({ ...RULES, ...LEAVING })) {
    testUnless(false, `${rule} (${making.name})`, () => holds(making));
  }
}
