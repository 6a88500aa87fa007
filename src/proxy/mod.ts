/**
 * Finds the clients behind proxies. For Deno, Bun and Node.
 *
 * ```ts ignore
 * import { limitRequests } from "@connlimit/connlimit/http";
 * import { forwarded } from "@connlimit/connlimit/proxy";
 *
 * const client = forwarded({ header: "x-forwarded-for", trusted: ["127.0.0.0/8", "10.0.0.0/8"] });
 * Deno.serve(limitRequests({ maxPerClient: 20 }, () => new Response("hello\n"), { client }));
 * ```
 *
 * @module
 */

export {
  forwarded,
  type ForwardedClient,
  type ForwardedHeaders,
  type ForwardedOptions,
  type ForwardedRequest,
  type PeerOfRequest,
} from "./forwarded.ts";
export { PRIVATE_NETWORKS } from "./private_networks.ts";
