/**
 * Deno's listeners behind a proxy.
 *
 * @module
 */

import { type Adapter, serveListener } from "../proxy/proxied.ts";

/** All of them. */
export const DENO_ADAPTERS: readonly Adapter[] = [{
  name: "Deno.listen",
  backlog: true,
  serve: (setup) =>
    setup.path === undefined
      ? serveListener<Deno.TcpConn>(Deno.listen({ hostname: "127.0.0.1", port: 0 }), setup)
      : serveListener<Deno.UnixConn>(Deno.listen({ transport: "unix", path: setup.path }) as never, setup),
}];
