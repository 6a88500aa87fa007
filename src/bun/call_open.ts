/**
 * Calling the handler `open`.
 *
 * @module
 */

import type { BunSocketLike, SocketHandlers } from "./native.ts";

/** As with Bun, a connection whose `open` throws is closed. */
export function callOpen(open: SocketHandlers["open"], socket: BunSocketLike): void {
  try {
    open?.call(socket, socket);
  } catch (error) {
    socket.terminate();
    throw error;
  }
}
