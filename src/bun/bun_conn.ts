/**
 * Connections of Bun, as the server sees them.
 *
 * @module
 */

import type { ConnLike } from "../conn/limited_conn.ts";

/** The address of a TCP or TLS connection, as Deno has it. */
export interface NetAddr {
  /** What kind of address it is. */
  readonly transport: "tcp";
  /** The IP address. */
  readonly hostname: string;
  /** The port. */
  readonly port: number;
}

/** The address of a Unix connection, as Deno has it. */
export interface UnixAddr {
  /** What kind of address it is. */
  readonly transport: "unix";
  /** The path of the socket. `null` for the peer of an accepted connection. */
  readonly path: string | null;
}

/** The address of a connection. */
export type BunAddr = NetAddr | UnixAddr;

/**
 * A connection that Bun has accepted, in the shape of a `Deno.Conn`.
 *
 * The end of either stream closes the whole connection, as on Deno. To close one direction only, use
 * {@linkcode BunConn.read}, {@linkcode BunConn.write} and {@linkcode BunConn.closeWrite}. Reads and writes reject with errors
 * that have Deno's names, such as `ConnectionReset`.
 *
 * At most one chunk is read ahead. While nothing reads, the connection notices a reset by its peer, and stays open until it
 * is closed on this side.
 *
 * @typeParam A Its addresses.
 */
export interface BunConn<A extends BunAddr = NetAddr> extends ConnLike {
  /** The peer's address, also after the connection is closed. */
  readonly remoteAddr: A;
  /**
   * The address that the peer has connected to. Available while the connection is open; later only if it was read before,
   * else with an empty hostname.
   */
  readonly localAddr: A;
  /** Sends FIN after all pending writes. */
  closeWrite(): Promise<void>;
  /**
   * Closes the connection. Written data is still sent. Over TLS, a client that does not take the last 32 KB that Bun holds
   * of it within ten seconds is reset. Closing twice is not an error, because the peer may have closed first.
   */
  close(): void;
  /** Keeps the process running while the connection is open, which is the default. */
  ref(): void;
  /** Lets the process exit while the connection is open. */
  unref(): void;
}
