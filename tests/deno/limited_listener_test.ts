import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  type LimitedConn,
  limitedListener,
  Limiter,
  type LimitsOptions,
  type ListenerOptions,
} from "@connlimit/connlimit";
import { echoAll, isOpen, testUnless } from "../support/deno.ts";
import { type Client, connectFrom, ended, eventually, openSockets, within } from "../support/net.ts";
import { noIPv6, notLinux, oneAddress } from "../support/platform.ts";

type Options = ListenerOptions<Deno.TcpConn>;

const tcp = () => Deno.listen({ hostname: "0.0.0.0", port: 0 });

function listen(limits?: LimitsOptions | Limiter, options?: Options) {
  return limitedListener(tcp(), limits, options);
}

/** Serves until the listener is closed, keeping every connection; resolves to them. */
async function keepAll(listener: AsyncIterable<LimitedConn<Deno.TcpConn>>): Promise<LimitedConn<Deno.TcpConn>[]> {
  const conns = [];
  for await (const conn of listener) conns.push(conn);
  return conns;
}

function closeAll(conns: readonly Disposable[]): void {
  for (const conn of conns) conn[Symbol.dispose]();
}

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
  async () => {
    const before = openSockets();
    {
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
    }
    await eventually(() => openSockets() === before, "every socket to be closed");
  },
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

Deno.test("limitedListener() ends the loop when it is closed while an accept is pending", async () => {
  const listener = listen();
  const kept = keepAll(listener);
  await new Promise((resolve) => setTimeout(resolve, 1));
  listener.close();
  listener.close();
  listener[Symbol.dispose]();
  assertEquals(await within(kept, "the loop to end"), []);
  await assertRejects(() => listener.accept(), Deno.errors.BadResource);
});

Deno.test("limitedListener() ends the loop when the listener underneath is closed", async () => {
  const underneath = tcp();
  const listener = limitedListener(underneath);
  const kept = keepAll(listener);
  underneath.close();
  assertEquals(await within(kept, "the loop to end"), []);
  listener.close();
});

Deno.test("limitedListener() closes the listener when the loop is left by break", async () => {
  const listener = listen();
  using client = await connectFrom("127.0.0.1", listener.addr.port);
  for await (const conn of listener) {
    conn.close();
    break;
  }
  await assertRejects(() => listener.accept(), Deno.errors.BadResource);
  await assertRejects(() => connectFrom("127.0.0.1", listener.addr.port));
  await ended(client);
});

Deno.test("limitedListener() closes the listener when the loop's body throws, and open connections stay open", async () => {
  const listener = listen();
  using client = await connectFrom("127.0.0.1", listener.addr.port);
  let kept: LimitedConn<Deno.TcpConn> | undefined;
  await assertRejects(
    async () => {
      for await (const conn of listener) {
        kept = conn;
        throw new Error("from the body");
      }
    },
    Error,
    "from the body",
  );
  await assertRejects(() => listener.accept(), Deno.errors.BadResource);
  assertEquals([isOpen(kept!), listener.limiter.open], [true, 1]);
  kept!.close();
  await ended(client);
});

Deno.test("limitedListener() ends a pending next() by return()", async () => {
  const iterator = listen()[Symbol.asyncIterator]();
  const next = iterator.next();
  assertEquals(await iterator.return!(), { done: true, value: undefined });
  assertEquals(await within(next, "next()"), { done: true, value: undefined });
  assertEquals(await iterator.next(), { done: true, value: undefined });
});

Deno.test("limitedListener() is closed by its signal, before and while it accepts", async () => {
  const abort = new AbortController();
  const kept = keepAll(listen({}, { signal: abort.signal }));
  await new Promise((resolve) => setTimeout(resolve, 1));
  abort.abort();
  assertEquals(await within(kept, "the loop to end"), []);
  assertEquals(await within(keepAll(listen({}, { signal: AbortSignal.abort() })), "the loop to end"), []);
});

Deno.test("limitedListener() leaves nothing on its signal once it is closed", () => {
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
});

Deno.test("LimitedListener.accept() admits one at a time, as Deno's does", async () => {
  using listener = listen();
  using client = await connectFrom("127.0.0.1", listener.addr.port);
  using conn = await listener.accept();
  assertStrictEquals(conn.slot.client, "127.0.0.1");
  const pending = listener.accept();
  await assertRejects(() => listener.accept(), Deno.errors.Busy);
  listener.close();
  await assertRejects(() => pending, Deno.errors.BadResource);
  conn.close();
  await ended(client);
});

Deno.test("LimitedListener.accept() admits one at a time also while it gives way after a refusal", async () => {
  let overlapping: Promise<unknown> | undefined;
  using listener: ReturnType<typeof listen> = listen({ maxPerClient: 0 }, {
    onRefused: () => {
      overlapping = assertRejects(() => listener.accept(), Deno.errors.Busy);
    },
  });
  const kept = keepAll(listener);
  for (let i = 0; i < 2; i++) {
    using client = await connectFrom("127.0.0.1", listener.addr.port);
    await ended(client);
  }
  await overlapping;
  listener.close();
  assertEquals(await kept, []);
});

Deno.test("limitedListener() takes a limiter from another copy of the package", async () => {
  const copy = await import("../../src/limiter.ts?copy");
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

Deno.test("limitedListener() survives hooks that throw and that reject, and tells onError", async () => {
  const errors: unknown[] = [];
  let calls = 0;
  using listener = listen({ maxPerClient: 0 }, {
    onRefused: () => {
      if (++calls % 2 === 0) throw new Error("thrown");
      return Promise.reject(new Error("rejected"));
    },
    onError: (error) => {
      errors.push((error as Error).message);
      throw new Error("onError fails too");
    },
  });
  await withoutConsole(async (printed) => {
    const kept = keepAll(listener);
    for (let i = 0; i < 4; i++) {
      using client = await connectFrom("127.0.0.1", listener.addr.port);
      await ended(client);
    }
    await eventually(() => errors.length === 4, "the errors");
    assertEquals(errors.toSorted(), ["rejected", "rejected", "thrown", "thrown"]);
    assertStrictEquals(printed.length, 1);
    listener.close();
    assertEquals(await kept, []);
  });
});

/** Runs with `console.error` put aside, and hands over what it was called with. */
async function withoutConsole(run: (printed: unknown[][]) => Promise<void>): Promise<void> {
  const { error } = console;
  const printed: unknown[][] = [];
  console.error = (...args) => void printed.push(args);
  try {
    await run(printed);
  } finally {
    console.error = error;
  }
}

Deno.test("limitedListener() calls onRefused while the connection is open, and closes it when that returns", async () => {
  const conns: Deno.TcpConn[] = [];
  const open: boolean[] = [];
  using listener = listen({ maxPerClient: 0 }, {
    onRefused: (_, conn) => {
      conns.push(conn);
      open.push(isOpen(conn));
    },
  });
  const kept = keepAll(listener);
  using client = await connectFrom("127.0.0.1", listener.addr.port);
  await ended(client);
  assertEquals([open, conns.map(isOpen)], [[true], [false]]);
  listener.close();
  await kept;
});

Deno.test("limitedListener() lets no hook end the process by what it does not wait for", async () => {
  let calls = 0;
  using listener = listen({ maxPerClient: 0 }, {
    onRefused(_, conn) {
      calls++;
      // These would fail the test as unhandled rejections.
      conn.read(new Uint8Array(1));
      conn.write(new Uint8Array(5));
      conn.closeWrite();
      conn.writable.getWriter().write(new Uint8Array(5));
      new Response(conn.readable).text();
    },
  });
  const kept = keepAll(listener);
  for (let i = 0; i < 5; i++) {
    using client = await connectFrom("127.0.0.1", listener.addr.port);
    await ended(client);
  }
  assertStrictEquals(calls, 5);
  await new Promise((resolve) => setTimeout(resolve, 20));
  listener.close();
  await kept;
});

Deno.test("limitedListener() answers other work between refusals", async () => {
  using listener = listen({ maxPerClient: 0 });
  const clients = await Promise.all(Array.from({ length: 100 }, () => connectFrom("127.0.0.1", listener.addr.port)));
  let turns = 0;
  const immediate = () => {
    turns++;
    if (listener.limiter.stats().refused < 100) setImmediate(immediate);
  };
  const kept = keepAll(listener);
  setImmediate(immediate);
  await Promise.all(clients.map(ended));
  listener.close();
  await kept;
  assert(turns >= 90, `${turns} turns of the event loop in 100 refusals`);
});

Deno.test("limitedListener() takes new limits while it runs", async () => {
  using listener = listen({ maxPerClient: 1 });
  const { limiter, addr: { port } } = listener;
  const kept = keepAll(listener);
  const clients: Client[] = [];
  const connectAndCount = async () => {
    const before = limiter.stats();
    clients.push(await connectFrom("127.0.0.1", port));
    await eventually(() => {
      const { admitted, refused } = limiter.stats();
      return admitted + refused > before.admitted + before.refused;
    }, "an answer");
    return limiter.open;
  };
  assertStrictEquals(await connectAndCount(), 1);
  assertStrictEquals(await connectAndCount(), 1);
  limiter.setLimits({ maxPerClient: 2 });
  assertStrictEquals(await connectAndCount(), 2);
  limiter.setLimits({ maxPerClient: 1 });
  assertStrictEquals(await connectAndCount(), 2);
  listener.close();
  closeAll(await kept);
  await Promise.all(clients.map(ended));
});

Deno.test("LimitedListener.shutdown() waits for open connections and closes what is left at the deadline", async () => {
  const listener = listen();
  const kept = keepAll(listener);
  const clients = await Promise.all([1, 2, 3].map(() => connectFrom("127.0.0.1", listener.addr.port)));
  await eventually(() => listener.limiter.open === 3, "the clients to be admitted");
  const stopped = listener.shutdown({ timeout: 200 });
  const [first] = await within(kept, "the loop to end");
  first!.close();
  assertStrictEquals(listener.limiter.open, 2);
  assertStrictEquals(await stopped, 2);
  assertStrictEquals(listener.limiter.open, 0);
  await Promise.all(clients.map(ended));
});

Deno.test("LimitedListener.shutdown() is done as soon as nothing is open", async () => {
  const listener = listen();
  const kept = keepAll(listener);
  using client = await connectFrom("127.0.0.1", listener.addr.port);
  await eventually(() => listener.limiter.open === 1, "the client to be admitted");
  const stopped = listener.shutdown({ timeout: Infinity });
  closeAll(await kept);
  assertStrictEquals(await within(stopped, "the shutdown"), 0);
  assertStrictEquals(await listener.shutdown(), 0);
  await ended(client);
});

Deno.test("LimitedListener.shutdown() does not wait for another listener's connections", async () => {
  const limiter = new Limiter();
  const [one, other] = [listen(limiter), listen(limiter)];
  const kept = [keepAll(one), keepAll(other)];
  using client = await connectFrom("127.0.0.1", other.addr.port);
  await eventually(() => limiter.open === 1, "the client to be admitted");
  assertStrictEquals(await within(one.shutdown({ timeout: Infinity }), "the shutdown"), 0);
  assertStrictEquals(limiter.open, 1);
  assertStrictEquals(await other.shutdown({ timeout: 0 }), 1);
  await Promise.all(kept);
  await ended(client);
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

Deno.test("limitedListener() lets the process end where it is unreferenced", async () => {
  const code = `
    import { limitedListener } from "@connlimit/connlimit";
    const listener = limitedListener(Deno.listen({ hostname: "127.0.0.1", port: 0 }));
    listener.unref(); listener.ref(); listener.unref();
    (async () => { for await (const _ of listener); })();
  `;
  const child = new Deno.Command(Deno.execPath(), { args: ["eval", code] }).spawn();
  const { success } = await within(child.status, "the process to end").finally(() => {
    try {
      child.kill();
    } catch {
      // It has ended, as it should.
    }
  });
  assert(success);
});

/** A listener whose accepts fail with the errors given, and then as a closed listener's do. */
function failingListener(...errors: Error[]) {
  const accept = () => Promise.reject(errors.shift() ?? new Deno.errors.BadResource("Listener has been closed"));
  return { addr: "nowhere", accept, close() {}, ref() {}, unref() {} };
}

Deno.test("limitedListener() gives the slot back and closes where a connection cannot carry it", async () => {
  let closed = 0;
  const frozen = Object.freeze({
    remoteAddr: { hostname: "192.0.2.7" },
    [Symbol.dispose]: () => void closed++,
  });
  // deno-lint-ignore no-explicit-any
  const listener = limitedListener({ ...failingListener(), accept: () => Promise.resolve(frozen as any) });
  await assertRejects(() => listener.accept(), TypeError);
  assertEquals([closed, listener.limiter.open], [1, 0]);
});

Deno.test("limitedListener() takes no connection whose close() would not be seen", async () => {
  using native = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const listener = limitedListener({
    ...failingListener(),
    async accept() {
      const conn = await native.accept();
      const { close } = conn;
      conn.close = () => close.call(conn);
      return conn;
    },
  });
  using client = await connectFrom("127.0.0.1", native.addr.port);
  await assertRejects(() => listener.accept(), TypeError, "conn must not have a close of its own");
  await ended(client);
  assertStrictEquals(listener.limiter.open, 0);
});

const outOfDescriptors = () => Object.assign(new Error("Too many open files"), { code: "EMFILE" });

Deno.test("limitedListener() without onError prints a lack of file descriptors once, and no client's failure", () =>
  withoutConsole(async (printed) => {
    const reset = new Deno.errors.NotConnected("Transport endpoint is not connected");
    const listener = limitedListener(failingListener(reset, outOfDescriptors(), reset, outOfDescriptors()));
    assertEquals(await keepAll(listener as AsyncIterable<never>), []);
    assertStrictEquals(listener.acceptErrors, 4);
    assertEquals(printed.map(([, error]) => (error as Error).message), ["Too many open files"]);
  }));

Deno.test("limitedListener() waits longer each time while there are no file descriptors, and not once it is closed", async () => {
  const times: number[] = [];
  const listener = limitedListener(failingListener(...Array.from({ length: 100 }, outOfDescriptors)), {}, {
    onError() {
      times.push(performance.now());
      if (times.length === 5) listener.close();
    },
  });
  await keepAll(listener as AsyncIterable<never>);
  // Closing does not unmake the fake's errors; with nothing left to wait for, the rest come at once.
  const waits = times.slice(1, 5).map((time, index) => time - times[index]!);
  for (const [index, wait] of waits.entries()) assert(wait >= 5 * 2 ** index - 1, `waited ${waits}`);
  assert(times.at(-1)! - times[4]! < 100, "waits go on after close()");
});

Deno.test("limitedListener() fits where a Deno.Listener is taken", async () => {
  const take = (listener: Deno.Listener<Deno.TcpConn, Deno.NetAddr>) => listener.addr.port;
  using listener = listen();
  assert(take(listener) > 0);
  await Promise.resolve();
});
