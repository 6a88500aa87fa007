/**
 * `proxyOf()`: what is known of the proxy that a connection has come by.
 *
 * @module
 */

import { formatAddress, parseAddress } from "../core/address.ts";
import type { Peer } from "../core/peer.ts";
import type { ProxyEndpoint, ProxyHeader } from "./proxy_protocol_header.ts";
import type { ProxyTlvs } from "./tlvs.ts";

/** The proxy that a connection has come by, and what it has said. */
export interface ProxyInfo {
  /** The proxy's address, or `unix`. */
  readonly address: string;
  /** The proxy's port; absent for a Unix socket. */
  readonly port: number | undefined;
  /** The version of the PROXY protocol. */
  readonly version: 1 | 2;
  /** `"LOCAL"` if the proxy speaks for itself, as in a health check. */
  readonly command: "LOCAL" | "PROXY";
  /** The client's address and port; absent if the proxy has named none. */
  readonly source: ProxyEndpoint | undefined;
  /** The address and port that the client has connected to. */
  readonly destination: ProxyEndpoint | undefined;
  /** What else the proxy has said. */
  readonly tlvs: ProxyTlvs;
}

/** What a header has said. What costs something is found out when asked for. */
export class HeaderInfo implements ProxyInfo {
  readonly port: number | undefined;
  readonly source: ProxyEndpoint | undefined;
  readonly #peer: string | undefined;
  readonly #header: ProxyHeader;

  /** @param peer The proxy. */
  constructor(peer: Peer, header: ProxyHeader) {
    const { remoteAddr, remoteAddress, remotePort } = peer as Partial<ProxyPeer>;
    this.#peer = typeof peer === "string" ? peer : remoteAddr?.hostname ?? remoteAddress;
    this.port = remoteAddr?.port ?? remotePort;
    this.#header = header;
    this.source = header.source;
  }

  get address(): string {
    const identity = this.#peer === undefined ? undefined : parseAddress(this.#peer);
    return identity === undefined ? "unix" : formatAddress(identity);
  }

  get version(): 1 | 2 {
    return this.#header.version;
  }

  get command(): "LOCAL" | "PROXY" {
    return this.#header.command;
  }

  get destination(): ProxyEndpoint | undefined {
    return this.#header.destination;
  }

  get tlvs(): ProxyTlvs {
    return this.#header.tlvs;
  }
}

/** A peer, as any runtime shows it. */
interface ProxyPeer {
  readonly remoteAddr: { readonly hostname?: string; readonly port?: number };
  readonly remoteAddress: string;
  readonly remotePort: number;
}

/** The key of an object's {@linkcode ProxyInfo}. It is global: the object may be another copy's of this package. */
const PROXY: unique symbol = Symbol.for("connlimit.proxy");

/** An object that may have come by a proxy, or be over one that has: a request over a socket, TLS over TCP. */
interface Proxied {
  readonly [PROXY]?: ProxyInfo;
  readonly socket?: Proxied;
  readonly _parent?: Proxied;
}

/**
 * Returns what is known of the proxy that a connection has come by.
 *
 * @param conn A connection, a socket, or a request of `node:http`.
 * @returns `undefined` if it has not come by a proxy whose header was read.
 */
export function proxyOf(conn: object): ProxyInfo | undefined {
  let object: Proxied | null | undefined = conn as Proxied;
  // A request, its socket of TLS, and the one below that.
  for (let depth = 0; depth < 4 && object != null; depth++) {
    const info: ProxyInfo | undefined = object[PROXY];
    if (info !== undefined) return info;
    object = object._parent ?? object.socket;
  }
  return undefined;
}

/** Binds what is known of a proxy to a connection. */
export function bindProxy(conn: object, info: ProxyInfo): void {
  Object.defineProperty(conn, PROXY, { value: info, configurable: true });
}

/** What is bound to a connection itself. */
export function boundProxy(conn: object): ProxyInfo | undefined {
  return (conn as Proxied)[PROXY];
}
