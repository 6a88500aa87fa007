/**
 * A crowd of clients at two echo servers. The first is a bare accept loop, which does not live long. The second is limited
 * and shown live: who has how many connections open, who is admitted, who is refused. On the way the limits are lowered and
 * raised. Ends by itself after some 8 seconds, with a summary and exit code 0, or 1 if anything was not as it should be.
 *
 *   deno task demo
 *
 * With `--page`, the limited server and its crowd go on until Ctrl-C, and a page in the browser shows them:
 *
 *   deno task demo --page
 *
 * Everything is real TCP on loopback. The server, which is the part that uses connlimit, is in `demo/server.ts`; how the
 * clients behave is in `demo/crowd.ts`; the page is in `demo/page.ts`.
 *
 * @module
 */

import { Limiter } from "@connlimit/connlimit";
import { runBareLoop, tellOutcome } from "./demo/bare_loop.ts";
import { crowd, visit } from "./demo/crowd.ts";
import { openDisplay } from "./demo/display.ts";
import { doorForEach, haveAddresses, oneDoor } from "./demo/doors.ts";
import { showPage } from "./demo/page.ts";
import { pause } from "./demo/pause.ts";
import { print } from "./demo/print.ts";
import { findFaults, summary } from "./demo/report.ts";
import { Server } from "./demo/server.ts";

const clients = crowd();
const addresses = clients.map((client) => client.address);
const ownAddresses = haveAddresses(addresses);
if (!ownAddresses) print("Here 127.0.0.1 is the only loopback address, so each client gets a port of its own.");
const openDoors = () => ownAddresses ? oneDoor(addresses) : doorForEach(addresses);

if (Deno.args.includes("--page")) await showPage(clients, openDoors());

print("First without connlimit: for await (const conn of Deno.listen(…)), and six clients.");
for (const line of tellOutcome(await runBareLoop(openDoors(), 1200))) print(`  ${line}`, 2);
print("\nNow with limitedListener(), and the same clients.\n");

const { listeners, routes } = openDoors();
const limiter = new Limiter({ maxPerClient: 8 });
const server = new Server(listeners, limiter);
const scene = { limiter, server, clients };
{
  using display = openDisplay(scene);
  const closing = new AbortController();
  const visits = clients.map((client) => visit(client, routes.get(client.address)!, closing.signal));
  display.tell("Each client may have 8 connections open.");
  await pause(2000);

  limiter.setLimits({ ...limiter.limits, maxPerClient: 3 });
  display.tell("Limits lowered to 3. Nobody is cut off; who has 3 or more is refused.");
  await pause(1700);

  limiter.setLimits({ ...limiter.limits, maxPerClient: 12 });
  display.tell("Limits raised to 12. There is room again, at once.");
  await pause(2000);

  display.tell("Closing time. All go home but idle, whom shutdown() will close.");
  closing.abort();
  await Promise.all(visits);
  await server.shutdown(700);
}

const faults = findFaults(scene);
print(summary(scene, faults), 4);
Deno.exitCode = faults.length === 0 ? 0 : 1;
