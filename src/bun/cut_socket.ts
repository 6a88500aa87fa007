/**
 * Closing sockets at their deadlines.
 *
 * @module
 */

import { type BunSocketLike, isTls } from "./native.ts";
import { sendRest } from "./tls_linger.ts";
import { type GuardedSocket, UPGRADED } from "./upgrade_tls.ts";

/** A socket that counts the bytes that the kernel has taken; over TLS, those that Bun has taken. */
type Counting = BunSocketLike & { readonly bytesWritten: number };

/** The bytes that a socket has written. */
export function writtenBy(socket: GuardedSocket): number {
  return ((socket[UPGRADED]?.[1] ?? socket) as Counting).bytesWritten;
}

/** Closes a socket, with a reset if the close would have to wait for its peer. */
export function cutSocket(socket: GuardedSocket): void {
  const upgraded = socket[UPGRADED];
  if (upgraded !== undefined) upgraded[0].terminate();
  else if (!isTls(socket)) socket.close();
  else if (!sendRest(socket)) socket.terminate();
}
