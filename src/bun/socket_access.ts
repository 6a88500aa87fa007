/**
 * The access of finders to sockets whose handlers are limited.
 *
 * @module
 */

import type { ConnAccess } from "../admission/client_finder.ts";
import { OPEN_CONN, type Recorded } from "../admission/open_conn.ts";
import { type Peer, UNIX_PEER } from "../core/peer.ts";
import { type BunSocketLike, isTls } from "./native.ts";
import type { SocketRecord } from "./socket_record.ts";

/** The peer of a socket. */
export function peerOfSocket(socket: BunSocketLike): Peer {
  if (socket.remoteAddress !== undefined) return socket;
  return socket.listener?.unix === undefined ? socket : UNIX_PEER;
}

/** What a socket shows of its peer. */
const SHOWN = ["remoteAddress", "remotePort", "remoteFamily"] as const;

/** Makes a client the one that a socket shows. Bun has getters for it, which cannot be assigned to. */
function show(socket: object, ...shown: readonly [address: string, port: number, family: string]): void {
  for (const [at, name] of SHOWN.entries()) {
    Object.defineProperty(socket, name, { value: shown[at], configurable: true });
  }
}

/** Shows on a socket over another what that shows, if it has been made to. */
export function showAs(under: object, socket: object): void {
  for (const name of SHOWN) {
    const shown = Object.getOwnPropertyDescriptor(under, name);
    if (shown !== undefined) Object.defineProperty(socket, name, shown);
  }
}

/** The access. A socket that is read has the record of the limiter whose finder reads it on top. */
export const socketAccess: ConnAccess<BunSocketLike & Recorded> = {
  peerOf: peerOfSocket,
  objectOf: (socket) => socket,
  isTls,
  read: (socket, buffer) => (socket[OPEN_CONN] as SocketRecord).unread!.read(socket, buffer),
  show: (socket, address, port) => show(socket, address, port, address.includes(":") ? "IPv6" : "IPv4"),
};
