/**
 * The address that a request comes from.
 *
 * @module
 */

/** What may be the second argument of a fetch handler. */
interface Info {
  /** Deno's. */
  readonly remoteAddr?: { readonly hostname?: unknown };
  /** Bun's server. */
  requestIP?(request: Request): { readonly address?: unknown } | null;
  /** That of Hono on Bun. */
  readonly server?: Info;
  /** That of `@hono/node-server`, and of `node()`. */
  readonly incoming?: { readonly socket?: { readonly remoteAddress?: unknown } };
}

/** Returns the address of the socket's peer. `undefined` if the second argument tells none, and for a Unix socket. */
export function peerAddress(request: Request, info: unknown): string | undefined {
  if (typeof info !== "object" && typeof info !== "function" || info === null) return undefined;
  const { remoteAddr, server, incoming } = info as Info;
  let address: unknown = remoteAddr?.hostname ?? incoming?.socket?.remoteAddress;
  if (address === undefined && typeof (info as Info).requestIP === "function") {
    address = (info as Info).requestIP!(request)?.address;
  }
  if (address === undefined && server !== undefined && server !== info) return peerAddress(request, server);
  return typeof address === "string" ? address : undefined;
}
