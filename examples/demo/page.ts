/**
 * The crowd at the limited server, shown by a page in the browser until Ctrl-C.
 *
 * @module
 */

import { Limiter } from "@connlimit/connlimit";
import { dashboard } from "@connlimit/connlimit/dashboard";
import { type Client, visit } from "./crowd.ts";
import type { Doors } from "./doors.ts";
import { print } from "./print.ts";
import { Server } from "./server.ts";

/** Serves the page, lets the clients come, and ends the process when it is interrupted. */
export async function showPage(clients: readonly Client[], { listeners, routes }: Doors): Promise<never> {
  const limiter = new Limiter({ maxPerClient: 8, maxTotal: 24 });
  const server = new Server(listeners, limiter);
  const closing = new AbortController();
  const visits = clients.map((client) => visit(client, routes.get(client.address)!, closing.signal));

  // The port may be in use, and nobody should have to edit a demo.
  const page = dashboard({ echo: limiter }, { authorize: "loopback", interval: 1_000 });
  const web = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: ({ port }) => print(`The crowd is shown at http://localhost:${port}/ until you press Ctrl-C.`),
  }, page);

  await new Promise<void>((resolve) => Deno.addSignalListener("SIGINT", resolve));
  closing.abort();
  page[Symbol.dispose]();
  await Promise.all([...visits, web.shutdown(), server.shutdown(700)]);
  Deno.exit(0);
}
