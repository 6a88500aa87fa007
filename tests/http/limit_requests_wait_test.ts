/**
 * `whenFull: "wait"` of `limitRequests()` on Deno and Bun.
 *
 * @module
 */

import { test } from "node:test";
import { limitRequests } from "@connlimit/connlimit/http";
import { serve as listen } from "../support/http/serve.ts";
import { leavingNoSocket } from "../support/net.ts";
import { type Serve, WAITS } from "../support/wait_rules.ts";

const serve: Serve = (limiter, options, handle) => {
  const handler = limitRequests(limiter, async (request: Request) => {
    const { pathname } = new URL(request.url);
    await handle(pathname);
    return new Response(pathname);
  }, options);
  const server = listen(handler as never);
  return {
    port: server.port,
    async [Symbol.asyncDispose]() {
      await server.stop(true);
    },
  };
};

for (const [rule, keeps] of Object.entries(WAITS)) {
  test(`limitRequests() that lets requests wait ${rule}`, leavingNoSocket(() => keeps(serve)));
}
