/**
 * Accepts that fail, that come late, or that yield an unusable connection.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { limitedListener } from "@connlimit/connlimit";
import { printed } from "../support/console.ts";
import { isOpen, pair } from "../support/deno/bound_conn.ts";
import { listen } from "../support/deno/deno_listeners.ts";
import { keepAll } from "../support/listeners.ts";
import { connectFrom, ended, eventually, within } from "../support/net.ts";

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

Deno.test("LimitedListener.shutdown() closes a connection whose accept had succeeded when the listener was closed", async () => {
  const [client, conn] = await pair();
  using _ = client;
  const { promise, resolve } = Promise.withResolvers<Deno.TcpConn>();
  const listener = limitedListener({ ...failingListener(), accept: () => promise });
  const accepted = listener.accept();
  resolve(conn);
  assertStrictEquals(await listener.shutdown({ timeout: 0 }), 1);
  assertEquals([await accepted, isOpen(conn), listener.limiter.open], [conn, false, 0]);
});

const outOfDescriptors = () => Object.assign(new Error("Too many open files"), { code: "EMFILE" });

Deno.test("limitedListener() without onError prints a lack of file descriptors once, and no client's failure", async () => {
  const reset = new Deno.errors.NotConnected("Transport endpoint is not connected");
  const listener = limitedListener(failingListener(reset, outOfDescriptors(), reset, outOfDescriptors()));
  const calls = await printed(async () => assertEquals(await keepAll(listener as AsyncIterable<never>), []));
  assertStrictEquals(listener.acceptErrors, 4);
  assertEquals(calls.map(([, error]) => (error as Error).message), ["Too many open files"]);
});

Deno.test("limitedListener() waits longer each time while there are no file descriptors, and not once it is closed", async () => {
  const times: number[] = [];
  const listener = limitedListener(failingListener(...Array.from({ length: 100 }, outOfDescriptors)), {}, {
    onError() {
      times.push(performance.now());
      if (times.length === 5) listener.close();
    },
  });
  // Closing does not unmake the fake's errors. With a wait after each, the rest of them would take twice the deadline.
  await within(keepAll(listener as AsyncIterable<never>), "the loop to end");
  const waits = times.slice(1, 5).map((time, index) => time - times[index]!);
  for (const [index, wait] of waits.entries()) assert(wait >= 5 * 2 ** index - 1, `waited ${waits}`);
  assertStrictEquals(times.length, 100);
});

Deno.test("limitedListener() does not spin where accepts fail for good, prints the first of such failures, and ends", async () => {
  const listener = limitedListener({
    ...failingListener(),
    accept: () => Promise.reject(new Error("broken for good")),
  });
  const calls = await printed(async () => {
    const accepted = listener.accept();
    await eventually(() => listener.acceptErrors >= 30, "waits to grow");
    const { acceptErrors } = listener;
    await new Promise((resolve) => setTimeout(resolve, 100));
    // Ten a wait, the next of which takes 40 ms and the one after it 80 ms. A loop that spins has a thousand.
    assert(listener.acceptErrors - acceptErrors <= 40, `${listener.acceptErrors - acceptErrors} failures in 100 ms`);
    listener.close();
    await within(assertRejects(() => accepted, Deno.errors.BadResource), "the accept to end");
  });
  assertEquals(calls.map(([, error]) => (error as Error).message), ["broken for good"]);
});
