/**
 * An echo server over a limited listener, for the rules of the pending stage.
 *
 * @module
 */

import type { Admitter, ConnLike, LimitedListener } from "@connlimit/connlimit";
import { within } from "./net.ts";
import type { Server } from "./pending_trial.ts";

/** Echoes what comes by each connection. */
export function serveListener(listener: LimitedListener<ConnLike, { readonly port: number }, Admitter>): Server {
  const served: number[] = [];
  const serving = (async () => {
    for await (const conn of listener) {
      served.push((conn.remoteAddr as { readonly port: number }).port);
      conn.readable.pipeTo(conn.writable).catch(() => {});
    }
  })();
  return {
    port: listener.addr.port,
    served,
    stop: () => listener.shutdown({ timeout: 0 }),
    async [Symbol.asyncDispose]() {
      await listener.shutdown({ timeout: 0 });
      await within(serving, "the loop to end");
    },
  };
}
