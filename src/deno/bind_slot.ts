/**
 * Ties slots to Deno connections.
 *
 * The connection stays Deno's own object, so that whatever takes a `Deno.Conn` still takes it. Only its prototype is put
 * behind one of ours, which sees every way in which the descriptor can be closed: `close()`, `using`, and the ends of its
 * streams.
 *
 * @module
 */

import { OpenConn, type OpenConns } from "../admission/open_conns.ts";
import { type ConnLike, type LimitedConn, SlotCarrier } from "../conn/limited_conn.ts";
import { readableOf, writableOf } from "../conn/streams.ts";
import type { Slot } from "../core/slot.ts";

const OPEN_CONN = Symbol("connlimit.openConn");
const READABLE = Symbol("connlimit.readable");
const WRITABLE = Symbol("connlimit.writable");

/** A connection as it looks once it is bound. */
interface BoundConn extends ConnLike {
  [OPEN_CONN]?: OpenConn;
  [READABLE]?: ConnLike["readable"];
  [WRITABLE]?: ConnLike["writable"];
}

/** What a connection's end is seen by. */
const WATCHED = ["close", Symbol.dispose, "readable", "writable"] as const;

/** Our prototypes by the one they extend: Deno has one each for TCP, TLS and Unix connections. */
const prototypes = new WeakMap<object, object>();

/**
 * Frees `slot` when the connection is closed, and has its tie among `openConns` until then.
 *
 * @throws {TypeError} If `conn` is no connection, or has something of its own in place of what is to be watched.
 */
export function bindSlot<C extends ConnLike>(conn: C, slot: Slot, openConns: OpenConns | undefined): LimitedConn<C> {
  if (conn instanceof SlotCarrier) conn.bindSlot(slot, openConns);
  else bindDenoConn(conn, slot, openConns);
  return conn as LimitedConn<C>;
}

function bindDenoConn(conn: ConnLike, slot: Slot, openConns: OpenConns | undefined): void {
  for (const name of WATCHED) {
    if (Object.hasOwn(conn, name)) throw new TypeError(`conn must not have a ${String(name)} of its own`);
  }
  const bound = conn as BoundConn;
  const under = bound[OPEN_CONN];
  if (under === undefined) Object.setPrototypeOf(conn, limitedPrototype(conn));
  bound[OPEN_CONN] = new OpenConn(conn, slot, under, openConns);
}

function limitedPrototype(conn: ConnLike): object {
  const native = Object.getPrototypeOf(conn);
  let prototype = prototypes.get(native);
  if (prototype === undefined) {
    const missing = ["read", "write", ...WATCHED].find((name) => native === null || !(name in native));
    if (missing !== undefined) throw new TypeError(`conn must be a connection, but inherits no ${String(missing)}`);
    prototype = extend(native);
    prototypes.set(native, prototype);
  }
  return prototype;
}

function extend(native: object): object {
  return {
    __proto__: native,

    get slot(): Slot {
      return (this as unknown as BoundConn)[OPEN_CONN]!.slot;
    },

    get readable(): ConnLike["readable"] {
      const conn = this as unknown as BoundConn;
      return conn[READABLE] ??= readableOf(conn, () => conn[Symbol.dispose]());
    },

    get writable(): ConnLike["writable"] {
      const conn = this as unknown as BoundConn;
      return conn[WRITABLE] ??= writableOf(conn, () => conn[Symbol.dispose]());
    },

    // Close first, then free; and free even where the descriptor is gone already and closing throws. With a read or a
    // write pending, Deno lets go of the descriptor when that has been told, a turn of the event loop later.
    close(): void {
      try {
        super.close();
      } finally {
        (this as unknown as BoundConn)[OPEN_CONN]!.free();
      }
    },

    [Symbol.dispose](): void {
      try {
        super[Symbol.dispose]();
      } finally {
        (this as unknown as BoundConn)[OPEN_CONN]!.free();
      }
    },
  };
}
