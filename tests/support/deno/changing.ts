/**
 * Listeners in the shape of Deno's, as wrappers are.
 *
 * @module
 */

import type { ListenerLike } from "@connlimit/connlimit";
import { tcp } from "./deno_listeners.ts";

/** A listener of Deno's whose connections are changed before they are yielded. */
export function changing(
  change: (conn: Deno.TcpConn) => Deno.TcpConn | void,
): ListenerLike<Deno.TcpConn, Deno.NetAddr> & { readonly native: Deno.TcpListener } {
  const native = tcp();
  return {
    native,
    addr: native.addr,
    accept: async () => {
      const conn = await native.accept();
      return change(conn) ?? conn;
    },
    close: () => native.close(),
    ref() {},
    unref() {},
  };
}
