/**
 * The hooks of a limited listener of Deno, and the event loop between refusals.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { printed } from "../support/console.ts";
import { isOpen } from "../support/deno/bound_conn.ts";
import { listen } from "../support/deno/deno_listeners.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { keepAll } from "../support/listeners.ts";
import { aWhile, connectFrom, ended, eventually } from "../support/net.ts";

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
  const prints = await printed(async () => {
    const kept = keepAll(listener);
    for (let i = 0; i < 4; i++) {
      using client = await connectFrom("127.0.0.1", listener.addr.port);
      await ended(client);
    }
    await eventually(() => errors.length === 4, "the errors");
    assertEquals(errors.toSorted(), ["rejected", "rejected", "thrown", "thrown"]);
    listener.close();
    assertEquals(await kept, []);
  });
  assertStrictEquals(prints.length, 1);
});

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
  await aWhile();
  listener.close();
  await kept;
});

Deno.test("limitedListener() answers other work between refusals", async () => {
  // The machine may be slow: where turns take long, the loop refuses more in each.
  using _ = new FakeClock();
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
