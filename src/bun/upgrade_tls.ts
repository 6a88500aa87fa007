/**
 * `socket.upgradeTLS()` of sockets whose handlers are limited.
 *
 * @module
 */

import { OPEN_CONN, type OpenConn } from "../admission/open_conn.ts";
import type { BunSocketLike } from "./native.ts";
import { showAs } from "./socket_access.ts";

/** The key of the sockets of an upgraded one. */
export const UPGRADED: unique symbol = Symbol("connlimit.upgraded");

/** A socket whose handlers are limited. */
export interface GuardedSocket extends BunSocketLike {
  [OPEN_CONN]?: OpenConn | undefined;
  /** The sockets that it goes on with: the one below TLS, and the one above. */
  [UPGRADED]?: readonly [raw: GuardedSocket, tls: unknown];
  /** Starts TLS on the socket. Returns two new sockets, one below TLS and one above. */
  upgradeTLS?(options: object): [raw: GuardedSocket, tls: unknown];
}

/** Bun then calls `close` with the socket below TLS, and not with the one that was accepted. Both show the same client. */
export function upgradeTLS(this: GuardedSocket, options: object): [raw: GuardedSocket, tls: unknown] {
  const sockets: [GuardedSocket, unknown] = Object.getPrototypeOf(this).upgradeTLS.call(this, options);
  sockets[0][OPEN_CONN] = this[OPEN_CONN];
  this[UPGRADED] = sockets;
  for (const socket of sockets) showAs(this, socket as object);
  return sockets;
}
