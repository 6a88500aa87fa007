/**
 * Peers: what can be counted, and the address in what the runtimes hand out.
 *
 * @module
 */

import { type Address, parseAddress } from "./address.ts";
import { type ClientKey, customKey, UNIX_CLIENT } from "./client_key.ts";

/** Where a peer's address stands in a Deno address; all of it optional, since Unix and vsock addresses lack it. */
export interface RemoteAddr {
  /** The IP address. */
  readonly hostname?: string;
  /** `"unix"` marks a Unix socket, whose peers are one client. */
  readonly transport?: string;
}

/**
 * Who a connection is counted against, in one of four forms:
 *
 * - an IP address as text, without a port or brackets;
 * - an object with a `remoteAddr`, as Deno's connections and handler infos have;
 * - an object with a `remoteAddress`, as the sockets of Bun and Node have;
 * - `{ key }`, for a client that is not an address: an account, a token. Any text but the empty one.
 *
 * An address wins over a `key` beside it. A Unix socket's peers have no addresses, so all of them are one client.
 * What has no usable address in any of these places is refused with the reason `"unknown-address"`.
 */
export type Peer =
  | string
  | { readonly remoteAddr: RemoteAddr }
  | { readonly remoteAddress?: string | undefined }
  | { readonly key: string };

/** The peer of a Unix socket, for sockets that do not tell what they are. */
export const UNIX_PEER: Peer = { remoteAddr: { transport: "unix" } };

/** An {@linkcode Address}, or a key where the client is not an address. `undefined` where there is no telling. */
export type Identity = Address | Extract<ClientKey, string>;

/** Reads who a peer is. Never throws: the limiter refuses a peer that makes no sense. */
export function identify(peer: Peer): Identity | undefined {
  if (typeof peer === "string") return parseAddress(peer);
  try {
    // Plain JavaScript can pass anything, and the getters of a dead connection may throw.
    const { remoteAddr, remoteAddress, key } = peer as Partial<Record<string, unknown>>;
    if (remoteAddr !== undefined) return fromRemoteAddr(remoteAddr as RemoteAddr);
    if (remoteAddress !== undefined) return parseAddress(remoteAddress as string);
    return typeof key === "string" && key !== "" ? customKey(key) : undefined;
  } catch {
    return undefined;
  }
}

const ADDRESS_FIELDS = ["hostname", "transport"] as const;

/**
 * Deno makes the address of each accepted connection an object in dictionary mode with a hidden class of its own, which
 * no inline cache ever knows: `remoteAddr.hostname` takes 220 ns there. By a name that varies it takes 30 ns.
 */
function fromRemoteAddr(remoteAddr: RemoteAddr): Identity | undefined {
  let hostname: string | undefined;
  let transport: string | undefined;
  for (const field of ADDRESS_FIELDS) {
    const value = remoteAddr[field];
    if (field === "hostname") hostname = value;
    else transport = value;
  }
  if (hostname !== undefined) return parseAddress(hostname);
  return transport === "unix" ? UNIX_CLIENT : undefined;
}
