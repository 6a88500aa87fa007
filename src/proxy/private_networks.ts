/**
 * `PRIVATE_NETWORKS`: the networks that the internet does not route.
 *
 * @module
 */

/**
 * The private networks and the loopback addresses: `10.0.0.0/8`, `172.16.0.0/12`, `192.168.0.0/16` (RFC 1918),
 * `127.0.0.0/8`, `fc00::/7` (RFC 4193) and `::1`. For the option `trusted` where the proxy is on the server's own network
 * and everybody on that network may be believed.
 *
 * Link-local addresses and those of carriers, `100.64.0.0/10`, are not among them: there, clients may have them.
 *
 * @example Trust the own network and one proxy outside of it
 * ```ts
 * import { forwarded, PRIVATE_NETWORKS } from "@connlimit/connlimit/proxy";
 *
 * const client = forwarded({ header: "x-forwarded-for", trusted: [...PRIVATE_NETWORKS, "198.51.100.7"] });
 * ```
 */
export const PRIVATE_NETWORKS: readonly string[] = Object.freeze([
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "127.0.0.0/8",
  "fc00::/7",
  "::1",
]);
