/**
 * Peers: what identifies a client, and how to read it from the runtimes' objects.
 *
 * @module
 */

import { type Address, parseAddress } from "./address.ts";
import { type ClientKey, customKey, UNIX_CLIENT } from "./client_key.ts";

/** The part of a Deno address that identifies a peer. Unix and vsock addresses have no `hostname`. */
export interface RemoteAddr {
  /** The IP address. */
  readonly hostname?: string;
  /** `"unix"` marks a Unix socket. All Unix peers are one client. */
  readonly transport?: string;
}

/**
 * The peer of a connection, in one of four forms:
 *
 * - an IP address as text, without a port or brackets;
 * - an object with a `remoteAddr`: Deno's connections and handler infos;
 * - an object with a `remoteAddress`: the sockets of Bun and Node;
 * - `{ key }` with a non-empty string: a client that is not an address, such as an account or a token.
 *
 * An address takes precedence over a `key` in the same object. Unix peers have no addresses and are one client. A peer
 * that cannot be identified is refused with the reason `"unknown-address"`. So is `undefined`, as frameworks have it for the
 * address of a connection that has closed.
 */
export type Peer =
  | string
  | undefined
  | { readonly remoteAddr: RemoteAddr }
  | { readonly remoteAddress?: string | undefined }
  | { readonly key: string };

/** A Unix peer, for runtimes whose sockets do not show their transport. */
export const UNIX_PEER: Peer = { remoteAddr: { transport: "unix" } };

/** The address of a peer, or the key of a client that is not an address. */
export type Identity = Address | Extract<ClientKey, string>;

/** Identifies a peer. Returns `undefined` if `peer` has no usable address and no key. Never throws. */
export function identify(peer: Peer): Identity | undefined {
  if (typeof peer === "string") return parseAddress(peer);
  try {
    // JavaScript callers can pass any value, and the getters of a closed connection may throw.
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
 * Reads the fields by a computed name. On Deno each `remoteAddr` is an object in dictionary mode with its own hidden
 * class, so every inline cache misses: `remoteAddr.hostname` takes 220 ns, the computed name 30 ns.
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
