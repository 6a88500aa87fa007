/**
 * Which connections a limited listener admits and which it refuses, on Deno and on Bun alike.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { limitedListener, Limiter } from "@connlimit/connlimit";
import { answered, closeAll, keepAll } from "../support/listeners.ts";
import { MAKINGS } from "../support/makings.ts";
import { type Client, connectFrom, ended, eventually, leavingNoSocket } from "../support/net.ts";
import { isDeno, oneAddress } from "../support/platform.ts";
import { testUnless } from "../support/test_unless.ts";
import { turnedAway } from "../support/turned_away.ts";
import { byReason } from "../../src/core/reasons.ts";

for (const { name, refusal, listen, connect } of MAKINGS) {
  testUnless(
    oneAddress,
    `limitedListener() yields only admitted connections, each with its slot, and closes the others (${name})`,
    leavingNoSocket(async () => {
      const refused: [reason: string, address: unknown][] = [];
      using listener = listen({ maxPerClient: 2 }, {
        onRefused: ({ reason }, { remoteAddr }) => void refused.push([reason, remoteAddr.hostname]),
      });
      const { limiter, addr: { port } } = listener;
      const kept = keepAll(listener);
      const clients = await Promise.all([connect(port), connect(port), connect(port, "127.0.0.2")]);
      assertStrictEquals(await turnedAway(port), refusal);
      await answered(limiter, 4);
      assertEquals(refused, [["client", "127.0.0.1"]]);
      assertEquals([limiter.openFor("127.0.0.1"), limiter.openFor("127.0.0.2")], [2, 1]);
      listener.close();
      const conns = await kept;
      assertEquals(conns.map(({ slot }) => slot.client).sort(), ["127.0.0.1", "127.0.0.1", "127.0.0.2"]);
      closeAll(conns);
      assertStrictEquals(limiter.open, 0);
      await Promise.all(clients.map(ended));
    }),
  );

  testUnless(
    false,
    `limitedListener() counts the connections of listeners that share a limiter together (${name})`,
    async () => {
      const limiter = new Limiter({ maxPerClient: 1 });
      using one = listen(limiter);
      using other = MAKINGS.at(-1)!.listen(limiter);
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
    },
  );

  testUnless(false, `limitedListener() can be limited again, and then both limiters count (${name})`, async () => {
    const accounts = new Limiter({ maxPerClient: 1 });
    const inner = listen({ maxPerClient: 2 });
    using outer = limitedListener(inner, accounts);
    const kept = keepAll(outer);
    const clients = await Promise.all([1, 2, 3].map(() => connectFrom("127.0.0.1", inner.addr.port)));
    const refused = () => accounts.stats().refused + inner.limiter.stats().refused;
    await eventually(() => refused() === 2, "two to be refused");
    // On Bun it depends on how quickly the third comes which of the two refuses it.
    if (isDeno) assertStrictEquals(accounts.stats().refused, 2);
    assertEquals([inner.limiter.open, accounts.open], [1, 1]);
    outer.close();
    closeAll(await kept);
    assertEquals([inner.limiter.open, accounts.open], [0, 0]);
    await Promise.all(clients.map(ended));
  });
}

testUnless(
  oneAddress,
  "limitedListener() refuses exactly 500 of 1,000 connections over 100 addresses at limit 5",
  leavingNoSocket(async () => {
    using listener = MAKINGS[0].listen({ maxPerClient: 5 });
    const { limiter, addr: { port } } = listener;
    const kept = keepAll(listener);
    const clients: Client[] = [];
    for (let i = 0; i < 10; i++) {
      const addresses = Array.from({ length: 100 }, (_, index) => `127.0.0.${index + 1}`);
      clients.push(...await Promise.all(addresses.map((address) => connectFrom(address, port))));
    }
    await answered(limiter, 1_000);
    assertEquals(limiter.stats(), {
      open: 500,
      clients: 100,
      peak: 500,
      pending: 0,
      admitted: 500,
      refused: 500,
      refusedBy: {
        client: 500,
        aggregate: 0,
        total: 0,
        "fair-share": 0,
        rate: 0,
        blocked: 0,
        "unknown-address": 0,
        pending: 0,
        timeout: 0,
        unavailable: 0,
        "untrusted-peer": 0,
        "proxy-header": 0,
      },
      timedOut: { firstByte: 0, idle: 0, maxAge: 0 },
      wouldRefuse: byReason(() => 0),
      evicted: 0,
    });
    listener.close();
    closeAll(await kept);
    assertEquals([limiter.open, limiter.stats().clients], [0, 0]);
    await Promise.all(clients.map(ended));
  }),
);
