/**
 * The access of finders to Deno's connections.
 *
 * @module
 */

import type { ConnAccess } from "../admission/client_finder.ts";
import type { ConnLike } from "../conn/limited_conn.ts";

/** The access of finders to the connections of a listener. */
export function denoAccess<C extends ConnLike>(native: object): ConnAccess<C> {
  return {
    tls: native.constructor.name === "TlsListener",
    peerOf: (conn) => conn,
    objectOf: (conn) => conn,
    isTls: (conn) => "handshake" in conn,
    read: (conn, buffer) => conn.read(buffer),
    show(conn, hostname, port) {
      Object.defineProperty(conn, "remoteAddr", { value: { transport: "tcp", hostname, port }, configurable: true });
    },
  };
}
