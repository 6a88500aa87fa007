/**
 * Whom a limited listener of Deno admits and whom it refuses, and what becomes of them.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { type LimitedConn, limitedListener, Limiter } from "@connlimit/connlimit";
import { listen, tcp, testUnless } from "../support/deno/deno_listeners.ts";
import { closeAll, echoAll, keepAll } from "../support/listeners.ts";
import { type Client, connectFrom, ended, eventually, leavingNoSocket, within } from "../support/net.ts";
import { noIPv6, notLinux, oneAddress } from "../support/platform.ts";

testUnless(
  oneAddress,
  "limitedListener() yields only admitted connections, each with its slot, and closes the others",
  async () => {
    const refused: [string, string][] = [];
    using listener = listen({ maxPerClient: 2 }, {
      onRefused: ({ reason }, conn) => void refused.push([reason, conn.remoteAddr.hostname]),
    });
    const kept = keepAll(listener);
    const { port } = listener.addr;
    const clients = await Promise.all(
      ["127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.2"].map((address) => connectFrom(address, port)),
    );
    await eventually(() => listener.limiter.stats().admitted + refused.length === 4, "all four to be answered");
    assertEquals(refused, [["client", "127.0.0.1"]]);
    assertEquals(listener.limiter.openFor("127.0.0.1"), 2);
    listener.close();
    const conns = await kept;
    assertEquals(conns.map(({ slot }) => slot.client).sort(), ["127.0.0.1", "127.0.0.1", "127.0.0.2"]);
    closeAll(conns);
    assertStrictEquals(listener.limiter.open, 0);
    await Promise.all(clients.map(ended));
  },
);

testUnless(
  oneAddress,
  "limitedListener() refuses exactly 500 of 1,000 connections over 100 addresses at limit 5",
  leavingNoSocket(async () => {
    using listener = listen({ maxPerClient: 5 });
    const { limiter, addr: { port } } = listener;
    const kept = keepAll(listener);
    const clients: Client[] = [];
    for (let i = 0; i < 10; i++) {
      clients.push(
        ...await Promise.all(
          Array.from({ length: 100 }, (_, address) => connectFrom(`127.0.0.${address + 1}`, port)),
        ),
      );
    }
    await eventually(() => limiter.stats().admitted + limiter.stats().refused === 1_000, "all to be answered");
    assertEquals(limiter.stats(), {
      open: 500,
      clients: 100,
      peak: 500,
      admitted: 500,
      refused: 500,
      refusedBy: { client: 500, aggregate: 0, total: 0, blocked: 0, "unknown-address": 0 },
    });
    listener.close();
    closeAll(await kept);
    assertEquals([limiter.open, limiter.stats().clients], [0, 0]);
    await Promise.all(clients.map(ended));
  }),
);

testUnless(oneAddress, "limitedListener() echoes for many clients at once and frees every slot", async () => {
  using listener = listen({ maxPerClient: 20 });
  const serving = echoAll(listener);
  const echoes = await Promise.all(
    Array.from({ length: 60 }, async (_, index) => {
      const client = await connectFrom(`127.0.0.${1 + index % 3}`, listener.addr.port);
      client.socket.end(`hello ${index}`);
      return await ended(client);
    }),
  );
  assertEquals(echoes, Array.from({ length: 60 }, (_, index) => `hello ${index}`));
  await within(listener.limiter.idle(), "the limiter to be idle");
  listener.close();
  await serving;
});

testUnless(oneAddress || notLinux, "limitedListener() survives 1,000 clients that connect and reset", async () => {
  const errors: unknown[] = [];
  using listener = listen({ maxPerClient: 3 }, { onError: (error) => void errors.push(error) });
  const { limiter, addr: { port } } = listener;
  // With nobody accepting, these are all reset before they are accepted.
  for (let i = 0; i < 200; i++) (await connectFrom("127.0.0.2", port)).reset();
  const conns: LimitedConn<Deno.TcpConn>[] = [];
  const serving = (async () => {
    for await (const conn of listener) {
      if (conn.remoteAddr.hostname === "127.0.0.1") conns.push(conn);
      // What was reset after it was accepted is seen as an end.
      else conn.read(new Uint8Array(1)).catch(() => {}).finally(() => conn[Symbol.dispose]());
    }
  })();
  for (let i = 0; i < 800; i++) (await connectFrom("127.0.0.2", port)).reset();
  using polite = await connectFrom("127.0.0.1", port);
  await eventually(() => conns.length === 1, "the polite client to be served");
  assertStrictEquals(listener.acceptErrors, errors.length);
  assert(errors.length >= 200, `${errors.length} failed accepts`);
  for (const error of errors) assert(error instanceof Deno.errors.NotConnected, String(error));
  await eventually(() => limiter.open === 1, "the others to be gone");
  const { admitted, refused } = limiter.stats();
  assertStrictEquals(admitted + refused + listener.acceptErrors, 1_001);
  listener.close();
  await serving;
  closeAll(conns);
  await ended(polite);
});

Deno.test("limitedListener() takes a limiter from another copy of the package", async () => {
  const copy = await import("../../src/core/limiter.ts?copy");
  const limiter = new copy.Limiter({ maxPerClient: 7 }) as unknown as Limiter;
  assertStrictEquals(limiter instanceof Limiter, false);
  using listener = listen(limiter);
  assertStrictEquals(listener.limiter, limiter);
});

Deno.test("limitedListener() can be limited again, and then both limiters count", async () => {
  const accounts = new Limiter({ maxPerClient: 1 });
  const inner = listen({ maxPerClient: 2 });
  using outer = limitedListener(inner, accounts);
  const kept = keepAll(outer);
  const clients = await Promise.all([1, 2, 3].map(() => connectFrom("127.0.0.1", inner.addr.port)));
  await eventually(() => accounts.stats().refused === 2, "two to be refused");
  assertEquals([inner.limiter.open, accounts.open], [1, 1]);
  outer.close();
  closeAll(await kept);
  assertEquals([inner.limiter.open, accounts.open], [0, 0]);
  await Promise.all(clients.map(ended));
});

Deno.test("limitedListener() counts the connections of listeners that share a limiter together", async () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  using one = listen(limiter);
  using other = listen(limiter);
  const kept = [keepAll(one), keepAll(other)];
  using first = await connectFrom("127.0.0.1", one.addr.port);
  await eventually(() => limiter.open === 1, "the first to be admitted");
  using second = await connectFrom("127.0.0.1", other.addr.port);
  await ended(second);
  assertStrictEquals(limiter.stats().refused, 1);
  one.close();
  other.close();
  closeAll((await Promise.all(kept)).flat());
  await ended(first);
});

testUnless(noIPv6, "limitedListener() counts an IPv4 client the same on a dual-stack listener", async () => {
  using listener = limitedListener(Deno.listen({ hostname: "::", port: 0 }), { maxPerClient: 1 });
  using four = await connectFrom("127.0.0.1", listener.addr.port);
  using six = await connectFrom("::1", listener.addr.port, "::1");
  using first = await listener.accept();
  using second = await listener.accept();
  assertEquals([first.slot.client, second.slot.client], ["127.0.0.1", "::/64"]);
  assertStrictEquals(listener.limiter.openFor("::ffff:127.0.0.1"), 1);
  four.fin();
  six.fin();
});

Deno.test("limitedListener() and shutdown() refuse bad options, naming the option and the value", async () => {
  using underneath = tcp();
  // deno-lint-ignore no-explicit-any
  const make = (limits?: any, options?: any, listener: any = underneath) => () =>
    limitedListener(listener, limits, options);
  assertThrows(
    make({ maxPerClient: -1 }),
    RangeError,
    "maxPerClient must be a whole number from 0, or Infinity, got -1",
  );
  assertThrows(make(null), TypeError, "limits must be a plain object, got null");
  assertThrows(make({}, { onRefuse: () => {} }), TypeError, '"onRefuse"');
  assertThrows(make({}, { onRefused: "log" }), TypeError, 'onRefused must be a function, got "log"');
  assertThrows(make({}, { onError: 7 }), TypeError, "onError must be a function, got 7");
  assertThrows(
    make({}, { signal: new AbortController() }),
    TypeError,
    "signal must be an AbortSignal, got an instance of AbortController",
  );
  assertThrows(make({}, null), TypeError, "options must be a plain object, got null");
  assertThrows(make({}, new Limiter()), TypeError, "options must be a plain object, got an instance of Limiter");
  assertThrows(make({}, {}, null), TypeError, "listener must be a listener of Deno's or Bun's, got null");
  assertThrows(make({}, {}, 7000), TypeError, "listener must be a listener of Deno's or Bun's, got 7000");
  const listener = limitedListener(underneath);
  for (const timeout of [-1, NaN, 2 ** 31]) {
    await assertRejects(() => listener.shutdown({ timeout }), RangeError, `got ${timeout}`);
  }
  // deno-lint-ignore no-explicit-any
  await assertRejects(() => listener.shutdown({ timeout: "5" } as any), TypeError, 'timeout must be a number, got "5"');
  // deno-lint-ignore no-explicit-any
  await assertRejects(() => listener.shutdown({ deadline: 5 } as any), TypeError, '"deadline"');
});
