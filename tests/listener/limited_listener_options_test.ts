/**
 * The limits and options of `limitedListener()`.
 *
 * @module
 */

import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { limitedListener, Limiter } from "@connlimit/connlimit";
import { MAKINGS } from "../support/makings.ts";
import { ended } from "../support/net.ts";
import { testUnless } from "../support/test_unless.ts";

testUnless(false, "limitedListener() takes a limiter from another copy of the package", async () => {
  const copy = await import("../../src/core/limiter.ts?copy");
  const limiter = new copy.Limiter({ maxPerClient: 7 }) as unknown as Limiter;
  assertStrictEquals(limiter instanceof Limiter, false);
  using listener = MAKINGS[0].listen(limiter);
  assertStrictEquals(listener.limiter, limiter);
});

testUnless(false, "limitedListener() refuses a limiter that the listener has already, and takes another", async () => {
  const limiter = new Limiter();
  using inner = MAKINGS[0].listen(limiter);
  // deno-lint-ignore no-explicit-any
  const again = (listener: any, limits: Limiter) => () => limitedListener(listener, limits);
  assertThrows(again(inner, limiter), TypeError, "limiter must be one that the listener does not have already");
  using outer = again(inner, new Limiter())();
  assertThrows(again(outer, limiter), TypeError, "limiter must be one that the listener does not have already");
  await Promise.resolve();
});

testUnless(
  false,
  "limitedListener() counts once what a listener in between hands on under the same limiter",
  async () => {
    const limiter = new Limiter({ maxPerClient: 1 });
    using inner = MAKINGS[0].listen(limiter);
    const between = {
      addr: inner.addr,
      accept: () => inner.accept(),
      close: () => inner.close(),
      ref: () => inner.ref(),
      unref: () => inner.unref(),
    };
    using outer = limitedListener(between, limiter);
    for (let round = 1; round <= 3; round++) {
      const [client, conn] = await Promise.all([MAKINGS[0].connect(inner.addr.port), outer.accept()]);
      assertEquals([limiter.open, limiter.stats().admitted, conn.slot.client], [1, round, "127.0.0.1"]);
      conn[Symbol.dispose]();
      assertStrictEquals(limiter.open, 0);
      await ended(client);
    }
  },
);

testUnless(false, "limitedListener() and shutdown() refuse bad options, naming the option and the value", async () => {
  using underneath = MAKINGS[0].native();
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
  const listener = make()();
  for (const timeout of [-1, NaN, 2 ** 31]) {
    await assertRejects(() => listener.shutdown({ timeout }), RangeError, `got ${timeout}`);
  }
  // deno-lint-ignore no-explicit-any
  await assertRejects(() => listener.shutdown({ timeout: "5" } as any), TypeError, 'timeout must be a number, got "5"');
  // deno-lint-ignore no-explicit-any
  await assertRejects(() => listener.shutdown({ deadline: 5 } as any), TypeError, '"deadline"');
});
