/**
 * A limited echo server and a crowd of clients, shown live: who has how many connections open, who is admitted, who is
 * refused. On the way the limits are lowered and raised. Ends by itself after some 8 seconds, with a summary and exit
 * code 0, or 1 if anything was not as it should be.
 *
 *   deno task demo
 *
 * The server is in `demo/server.ts`: ten lines of it are what a server of your own would need. Everything is real TCP
 * between loopback addresses of this machine.
 *
 * @module
 */

import { Limiter } from "@connlimit/connlimit";
import { crowd, visit } from "./demo/crowd.ts";
import { openDisplay } from "./demo/display.ts";
import { findFaults, summary } from "./demo/report.ts";
import { serve } from "./demo/server.ts";
import { pause } from "./demo/pause.ts";

const limiter = new Limiter({ maxPerClient: 8 });
const clients = crowd();
const server = serve(limiter, clients.map((client) => client.address));
const closing = new AbortController();
{
  using display = openDisplay({ limiter, server, clients });

  const visits = clients.map((client) => visit(client, server.routeFor(client.address), closing.signal));
  display.tell("Each client may have 8 connections open.");
  await pause(2500);

  limiter.setLimits({ ...limiter.limits, maxPerClient: 3 });
  display.tell("Limits lowered to 3. Nobody is cut off, but who has 3 or more is refused.");
  await pause(2000);

  limiter.setLimits({ ...limiter.limits, maxPerClient: 12 });
  display.tell("Limits raised to 12. There is room again, at once.");
  await pause(2300);

  closing.abort();
  display.tell("Closing time. All go home but the idle one, which shutdown() will close.");
  await Promise.all(visits);
  await server.shutdown(700);
}

const faults = findFaults({ limiter, server, clients });
console.log(summary({ limiter, server, clients }, faults));
Deno.exitCode = faults.length === 0 ? 0 : 1;
