/**
 * `whenFull: "wait"` of `limitServerRequests()`.
 *
 * @module
 */

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { limitServerRequests } from "@connlimit/connlimit/node";
import { leavingNoSocket } from "../support/net.ts";
import { type Serve, type Server, WAITS } from "../support/wait_rules.ts";

const serve: Serve = (limiter, options, handle) => {
  const server = createServer(async (request, response) => {
    await handle(request.url!);
    response.end(request.url);
  });
  limitServerRequests(server, limiter, options);
  server.listen(0, "127.0.0.1");
  return once(server, "listening").then((): Server => ({
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  }));
};

for (const [rule, keeps] of Object.entries(WAITS)) {
  test(`limitServerRequests() that lets requests wait ${rule}`, leavingNoSocket(() => keeps(serve)));
}
