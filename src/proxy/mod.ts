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

export type { ClientFinder } from "../admission/client_finder.ts";
export {
  forwarded,
  type ForwardedClient,
  type ForwardedHeaders,
  type ForwardedOptions,
  type ForwardedRequest,
  type PeerOfRequest,
} from "./forwarded.ts";
export { PRIVATE_NETWORKS } from "./private_networks.ts";
export { type ProxyInfo, proxyOf } from "./proxy_of.ts";
export { proxyProtocol, type ProxyProtocolOptions } from "./proxy_protocol.ts";
export type { ProxyEndpoint } from "./proxy_protocol_header.ts";
export type { ProxySsl, ProxyTlvs } from "./tlvs.ts";
