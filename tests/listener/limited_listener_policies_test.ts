/**
 * A dry run and a rate, on every kind of listener of Deno and Bun.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter, withSlot } from "@connlimit/connlimit";
import { answered, closeAll, keepAll } from "../support/listeners.ts";
import { MAKINGS } from "../support/makings.ts";
import { connectFrom, ended, eventually, leavingNoSocket } from "../support/net.ts";
import { testUnless } from "../support/test_unless.ts";
import { turnedAway } from "../support/turned_away.ts";

for (const { name, refusal, listen, connect } of MAKINGS) {
  testUnless(
    false,
    `limitedListener() yields in a dry run what it would refuse, and tells onRefused of it (${name})`,
    leavingNoSocket(async () => {
      const told: unknown[] = [];
      using listener = listen({ maxPerClient: 1, dryRun: true }, {
        onRefused: ({ reason, dryRun }, { remoteAddr }) => void told.push([reason, dryRun, remoteAddr.hostname]),
      });
      const { limiter, addr: { port } } = listener;
      const kept = keepAll(listener);
      const clients = [await connect(port), await connect(port), await connect(port)];
      await eventually(() => limiter.stats().wouldRefuse.client === 2, "two to be admitted by the dry run alone");
      assertEquals(told, [["client", true, "127.0.0.1"], ["client", true, "127.0.0.1"]]);
      assertEquals([limiter.open, limiter.stats().refused], [1, 0]);
      listener.close();
      const conns = await kept;
      assertEquals(conns.map(({ slot }) => slot.wouldRefuse?.reason), [undefined, "client", "client"]);
      closeAll(conns);
      await limiter.idle();
      assertStrictEquals(limiter.open, 0);
      await Promise.all(clients.map(ended));
    }),
  );

  testUnless(
    false,
    `limitedListener() frees the slot of a dry run whose connection onRefused closes (${name})`,
    leavingNoSocket(async () => {
      using listener = listen({ maxPerClient: 0, dryRun: true }, { onRefused: (_, conn) => conn.close() });
      const { limiter, addr: { port } } = listener;
      const kept = keepAll(listener);
      const client = await connectFrom("127.0.0.1", port);
      await eventually(() => limiter.stats().wouldRefuse.client === 1, "it to be admitted by the dry run alone");
      await ended(client);
      await limiter.idle();
      listener.close();
      closeAll(await kept);
    }),
  );

  testUnless(
    false,
    `limitedListener() refuses those who come too fast, though nothing of theirs is open (${name})`,
    leavingNoSocket(async () => {
      using listener = listen({ rate: { perSecond: 0.001, burst: 2 } });
      const { limiter, addr: { port } } = listener;
      const kept = keepAll(listener);
      const clients = [await connect(port), await connect(port)];
      assertStrictEquals(await turnedAway(port), refusal);
      assertEquals([limiter.open, limiter.stats().refusedBy.rate], [2, 1]);
      listener.close();
      closeAll(await kept);
      await Promise.all(clients.map(ended));
    }),
  );
}

testUnless(
  false,
  "connections through a gateway without a limit of its own are limited by the accounts that they turn out to be of",
  leavingNoSocket(async () => {
    const accounts = new Limiter({ maxPerClient: 2 });
    using listener = MAKINGS[0].listen({ maxPerClient: 1, networks: { "127.0.0.1": { maxPerClient: Infinity } } });
    const { limiter, addr: { port } } = listener;
    const kept = keepAll(listener);
    const clients = await Promise.all([1, 2, 3].map(() => connectFrom("127.0.0.1", port)));
    await answered(limiter, 3);
    listener.close();
    const conns = await kept;
    const admitted = conns.map((conn) => {
      const admission = accounts.tryAccept({ key: "somebody" });
      if (admission.admitted) withSlot(conn, admission);
      return admission.admitted;
    });
    assertEquals(admitted, [true, true, false]);
    assertEquals([limiter.openFor("127.0.0.1"), accounts.open], [3, 2]);
    closeAll(conns);
    assertEquals([limiter.open, accounts.open], [0, 0]);
    await Promise.all(clients.map(ended));
  }),
);
