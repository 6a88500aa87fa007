/**
 * A thousand connections that end in every way at once.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { CLIENTS, crowd, pick, randomly, treatAll } from "../support/crowd.ts";
import { listen } from "../support/deno/deno_listeners.ts";
import { testUnless } from "../support/test_unless.ts";
import { connectFrom, ended, eventually, leavingNoSocket, within } from "../support/net.ts";
import { oneAddress } from "../support/platform.ts";

const CONNECTIONS = 1_000;
const AT_ONCE = 40;
const seed = Date.now() | 0;

testUnless(
  oneAddress,
  `limitedListener() leaves nothing of ${CONNECTIONS} connections that end in every way (seed ${seed})`,
  leavingNoSocket(async () => {
    const random = randomly(seed);
    const errors: unknown[] = [];
    using listener = listen({ maxPerClient: 5 }, { onError: (error) => void errors.push(error) });
    const { limiter, addr: { port } } = listener;
    const serving = treatAll(listener, random);
    await crowd(CONNECTIONS, AT_ONCE, async () => {
      using client = await connectFrom(`127.0.0.${1 + random(4)}`, port);
      pick(random, CLIENTS)(client);
      await ended(client);
    });
    await eventually(() => {
      const { admitted, refused } = limiter.stats();
      return admitted + refused + listener.acceptErrors === CONNECTIONS;
    }, "every connection to be answered");
    await within(limiter.idle(), "every slot to be free");
    const { peak, admitted, refused } = limiter.stats();
    assert(peak <= 20, `${peak} were open at once`);
    assert(admitted > 300 && refused > 0, `${admitted} admitted, ${refused} refused`);
    assertEquals([limiter.open, [...limiter.clients()]], [0, []]);
    listener.close();
    await serving;
    for (const error of errors) assert(error instanceof Deno.errors.NotConnected, String(error));
  }),
);
