/**
 * A thousand connections that end in every way at once.
 *
 * @module
 */

import { assert } from "@std/assert";
import { CLIENTS, leavesNothing, pick, randomly, treatAll } from "../support/crowd.ts";
import { listen } from "../support/deno/deno_listeners.ts";
import { connectFrom, ended, leavingNoSocket } from "../support/net.ts";
import { oneAddress } from "../support/platform.ts";
import { testUnless } from "../support/test_unless.ts";

const CONNECTIONS = 1_000;
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
    await leavesNothing(limiter, random, {
      connections: CONNECTIONS,
      atOnce: 40,
      maxOpen: 20,
      minAdmitted: 300,
      failed: () => listener.acceptErrors,
      async visit(localAddress) {
        using client = await connectFrom(localAddress, port);
        pick(random, CLIENTS)(client);
        await ended(client);
      },
    });
    listener.close();
    await serving;
    for (const error of errors) assert(error instanceof Deno.errors.NotConnected, String(error));
  }),
);
