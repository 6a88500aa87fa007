/**
 * `forwarded()`: finds the client of a request by a header that a proxy sets.
 *
 * @module
 */

import { formatAddress } from "../core/address.ts";
import { identify, type Identity, type Peer, UNIX_PEER } from "../core/peer.ts";
import { checkOptions, formatValue, typeError } from "../core/validate.ts";
import { clientBehind, FORWARDED_FORMAT, LIST_FORMAT } from "./forwarded_hops.ts";
import { trustedNetworks } from "./trusted.ts";

/** The options of {@linkcode forwarded}. */
export interface ForwardedOptions {
  /**
   * The name of the header, in any case. `forwarded` is read as RFC 7239 says. Any other is read as a list of addresses,
   * such as `x-forwarded-for`, or as one address, such as `x-real-ip`, `cf-connecting-ip` or `fly-client-ip`.
   *
   * Name the header that your proxy sets or appends to. A header that it passes on as it came is the client's own word.
   */
  readonly header: string;
  /**
   * The proxies that are believed: networks in CIDR notation, addresses, and `"unix"` for the peers of Unix sockets. There
   * is no default, and it cannot be empty. {@linkcode PRIVATE_NETWORKS} is a list for proxies on the server's own network.
   *
   * Whoever has one of these addresses can name any client. Proxies in front of your proxy are in the list, too, such as
   * those of a content delivery network: otherwise they are the clients.
   */
  readonly trusted: readonly string[];
  /**
   * What becomes of a request whose peer is not trusted. `"refuse"` refuses it. `"direct"` counts it against the peer and
   * ignores its header.
   *
   * @default {"refuse"}
   */
  readonly untrusted?: "refuse" | "direct";
}

/** A request, or anything else with headers: of the Fetch API, or of `node:http` and `node:http2`. */
export interface ForwardedRequest {
  /** The headers. In an object they have lower-case names. */
  readonly headers: ForwardedHeaders;
}

/** Headers by name. */
export type ForwardedHeaders =
  | { get(name: string): string | null }
  | { readonly [name: string]: string | readonly string[] | undefined };

/** The part of Bun's server that knows the peer of a request. */
export interface PeerOfRequest {
  /** The client's address. `null` for a Unix socket. */
  // deno-lint-ignore no-explicit-any
  requestIP(request: any): { readonly address: string } | null;
  /** The port that it is bound to. Absent for a Unix socket. */
  readonly port?: number | undefined;
}

/**
 * Finds the client of a request.
 *
 * @param request The request, or an object with its headers.
 * @param from The peer of its connection, or what knows it: the second argument of a fetch handler on Deno or Bun.
 * @returns The client; `undefined` if the peer is not trusted and `untrusted` is `"refuse"`.
 */
export type ForwardedClient = (request: ForwardedRequest, from: Peer | PeerOfRequest) => Peer | undefined;

/**
 * Makes the option `client` of `limitRequests()` and `limitServerRequests()`, for servers behind HTTP proxies.
 *
 * The header is believed only if the connection's peer is trusted. It is read from the right, since each proxy appends the
 * address of its own peer. Entries of trusted proxies are skipped. The first other address is the client; what stands to
 * the left of it is the client's own word and is not read. If all entries are trusted, the leftmost is the client.
 *
 * An entry that is no address ends the reading: `unknown`, an obfuscated name such as `_hidden`, a malformed one. So does
 * the 32nd. The client is then the last proxy before that entry; without a header it is the peer. Health checks by the
 * proxy are counted like this, too. Ports and brackets are removed, and empty entries skipped.
 *
 * By default a peer that is not trusted is refused. Otherwise a proxy that is missing in the list would be one client with
 * all its users, and nobody would notice before they are many; and a client could get round the proxy.
 *
 * @example A server on Deno behind a proxy on the same network; on Bun pass the handler to `Bun.serve({ fetch })`
 * ```ts ignore
 * import { limitRequests } from "@connlimit/connlimit/http";
 * import { forwarded } from "@connlimit/connlimit/proxy";
 *
 * const client = forwarded({ header: "x-forwarded-for", trusted: ["127.0.0.0/8", "10.0.0.0/8"] });
 * Deno.serve(limitRequests({ maxPerClient: 20 }, () => new Response("hello\n"), { client }));
 * ```
 *
 * @example By itself, with headers and a peer
 * ```ts
 * import { forwarded } from "@connlimit/connlimit/proxy";
 * import { assertEquals } from "@std/assert";
 *
 * const clientOf = forwarded({ header: "x-forwarded-for", trusted: ["10.0.0.0/8"] });
 * const headers = { "x-forwarded-for": "192.0.2.1, 203.0.113.7, 10.0.0.3" };
 * assertEquals(clientOf({ headers }, "10.0.0.2"), "203.0.113.7");
 * assertEquals(clientOf({ headers }, "198.51.100.9"), undefined);
 * ```
 *
 * @param options The header, and the proxies that are trusted.
 * @returns The function that finds clients.
 * @throws {TypeError} For an unknown option or a value of the wrong type.
 * @throws {RangeError} For a `header` that cannot be one, and for an empty or invalid list of networks.
 */
export function forwarded(options: ForwardedOptions): ForwardedClient {
  checkOptions("options", "option", options, ["header", "trusted", "untrusted"]);
  const { header, trusted, untrusted = "refuse" } = options;
  const name = checkHeader(header);
  const isTrusted = trustedNetworks(trusted);
  if (untrusted !== "refuse" && untrusted !== "direct") {
    throw typeError("untrusted", '"refuse" or "direct"', untrusted);
  }
  const format = name === "forwarded" ? FORWARDED_FORMAT : LIST_FORMAT;
  /** The last peer that was named by its address. Proxies are few, so the next is most often the same. */
  let last: string | undefined;
  let lastTrusted = false;
  return (request, from) => {
    let trusted = lastTrusted;
    let peer: Identity | undefined;
    if (from !== last || last === undefined) {
      peer = identify(peerOf(request, from));
      last = typeof from === "string" ? from : undefined;
      lastTrusted = trusted = isTrusted(peer);
    }
    const client = trusted ? clientBehind(headerOf(request.headers, name), format, isTrusted) : undefined;
    if (client !== undefined) return client;
    if (!trusted && untrusted === "refuse") return undefined;
    const direct = peerOf(request, from);
    peer ??= identify(direct);
    return typeof peer === "object" || typeof peer === "number" ? formatAddress(peer) : peer && direct;
  };
}

/** A field name of HTTP. (RFC 9110, section 5.6.2) */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

function checkHeader(header: unknown): string {
  if (typeof header !== "string") throw typeError("header", "the name of a header", header);
  if (!TOKEN.test(header)) throw new RangeError(`header must be the name of a header, got ${formatValue(header)}`);
  return header.toLowerCase();
}

function peerOf(request: ForwardedRequest, from: Peer | PeerOfRequest): Peer {
  const server = from as Partial<PeerOfRequest>;
  if (typeof server?.requestIP !== "function") return from as Peer;
  const address = server.requestIP(request)?.address;
  return address === undefined && server.port === undefined ? UNIX_PEER : { remoteAddress: address };
}

/** The value of a header, its lines joined; empty if there is none. */
function headerOf(headers: ForwardedHeaders, name: string): string {
  if (typeof headers.get === "function") return headers.get(name) ?? "";
  const value = (headers as Exclude<ForwardedHeaders, { get(name: string): unknown }>)[name];
  return typeof value === "string" ? value : Array.isArray(value) ? value.join(", ") : "";
}
