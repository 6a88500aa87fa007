/**
 * A crowd that meets its deadline, on every adapter and runtime.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { LONG, type Rules } from "./deadline_rules.ts";
import { T, Trial } from "./deadline_trial.ts";
import { ended, eventually, openSockets, reply, within } from "./net.ts";

/** A crowd, for one adapter. */
export const CROWDS: Rules = {
  "a thousand silent clients at once, and serve another meanwhile": async (adapter) => {
    await using trial = await Trial.serve(adapter, { firstByteTimeout: 3 * T, idleTimeout: LONG });
    const { limiter } = trial.server;
    const before = openSockets();
    const clients = await Promise.all(Array.from({ length: 1_000 }, () => trial.connect()));
    const closed = Promise.all(clients.map(ended));
    const other = await trial.connect();
    do assertEquals(await reply(other, "hello"), "hello"); while (limiter.open > 1);
    const { admitted, timedOut } = limiter.stats();
    assertEquals([admitted, timedOut, trial.errors], [1_001, { firstByte: 1_000, idle: 0, maxAge: 0 }, []]);
    await within(closed, "the clients to see it");
    await eventually(() => openSockets() <= before + 2, "the sockets to be closed");
  },
};
