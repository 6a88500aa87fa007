/**
 * The addresses of Bun's listeners and sockets.
 *
 * @module
 */

import type { BunAddr, UnixAddr } from "./bun_conn.ts";
import type { BunListenerLike, BunSocketLike, BunUnixListenerLike } from "./native.ts";

/** The address of every peer of a Unix socket. */
const UNIX_ADDR: UnixAddr = { transport: "unix", path: null };

/** The address of a socket's peer. Its port takes a call of the system, but cannot be read any more once the socket is closed. */
export function remoteAddrOf(socket: BunSocketLike, unix: boolean): BunAddr {
  if (unix) return UNIX_ADDR;
  const { remoteAddress: hostname = "", remotePort: port = 0 } = socket;
  return { transport: "tcp", hostname, port };
}

/** Whether a listener listens on a Unix socket. */
export function isUnix(native: BunListenerLike | BunUnixListenerLike): native is BunUnixListenerLike {
  return (native as Partial<BunUnixListenerLike>).unix !== undefined;
}

/** The address of a listener. */
export function addrOf(native: BunListenerLike | BunUnixListenerLike): BunAddr {
  if (isUnix(native)) return { transport: "unix", path: native.unix };
  return { transport: "tcp", hostname: native.hostname, port: native.port };
}
