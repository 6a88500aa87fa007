/**
 * The handlers of a listener whose sockets are connections.
 *
 * @module
 */

import type { BunAddr } from "./bun_conn.ts";
import type { BunSocketLike, SocketHandlers } from "./native.ts";
import { SocketConn } from "./socket_conn.ts";

/**
 * Hands the events of sockets to their connections.
 *
 * @param open Called when a socket opens.
 * @param closed Called when one closes that has a connection.
 */
export function connHandlers(
  open: (socket: BunSocketLike) => void,
  closed: (conn: SocketConn<BunAddr>) => void,
): SocketHandlers & { readonly binaryType: string } {
  return {
    binaryType: "uint8array",
    open,
    data: (socket: BunSocketLike, chunk: Uint8Array) => connOf(socket)?.onData(chunk),
    drain: (socket: BunSocketLike) => connOf(socket)?.onDrain(),
    end: (socket: BunSocketLike) => connOf(socket)?.onEnd(),
    error: (socket: BunSocketLike, error: Error) => connOf(socket)?.onError(error),
    handshake: (socket: BunSocketLike, success: boolean, error: Error | null) =>
      connOf(socket)?.onHandshake(success, error),
    close(socket: BunSocketLike, error?: Error) {
      const conn = connOf(socket);
      if (conn === undefined) return;
      closed(conn);
      conn.onClose(error);
    },
  } as SocketHandlers & { readonly binaryType: string };
}

/**
 * The connection of an event. A socket without one was open before the listener was taken over, or is refused. It is not
 * counted or read, so it is closed.
 */
function connOf(socket: BunSocketLike): SocketConn<BunAddr> | undefined {
  if (socket.data instanceof SocketConn) return socket.data;
  socket.terminate();
}
