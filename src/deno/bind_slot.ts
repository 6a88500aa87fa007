/**
 * Binds slots to connections.
 *
 * @module
 */

import { OPEN_CONN, OpenConn, type OpenConns, type Recorded } from "../admission/open_conn.ts";
import { extendPrototype, streamAccessors } from "../conn/extend_prototype.ts";
import type { ConnLike, LimitedConn } from "../conn/limited_conn.ts";
import type { Slot } from "../core/slot.ts";

/** The members by which a connection's end is observed. */
const OBSERVED = ["close", Symbol.dispose, "readable", "writable"] as const;

/**
 * Releases `slot` when a connection is closed. The connection is among `openConns` until then. A Deno connection stays
 * Deno's own object, so that whatever takes a `Deno.Conn` still takes it.
 *
 * @throws {TypeError} If `conn` is no connection, or has members of its own where its end is observed.
 */
export function bindSlot<C extends ConnLike>(conn: C, slot: Slot, openConns: OpenConns | undefined): LimitedConn<C> {
  for (const name of OBSERVED) {
    if (Object.hasOwn(conn, name)) throw new TypeError(`conn must not have a ${String(name)} of its own`);
  }
  // A connection of this library ends its records by itself.
  if (!(OPEN_CONN in conn)) observeEnd(conn);
  OpenConn.bind(conn as Recorded, slot, openConns);
  return conn as LimitedConn<C>;
}

/** Puts a prototype in front that observes every way to close the descriptor: `close()`, `using`, the ends of the streams. */
const observeEnd = extendPrototype<ConnLike>((native) => {
  const missing = ["read", "write", ...OBSERVED].find((name) => native === null || !(name in native));
  if (missing !== undefined) throw new TypeError(`conn must be a connection, but inherits no ${String(missing)}`);
  const prototype = {
    __proto__: native,

    get slot(): Slot {
      return recordOf(this).slot!;
    },

    // Close first, then release; and release even where the descriptor is gone already and the close throws. With a read or
    // a write pending, Deno closes the descriptor when that has rejected, a turn of the event loop later.
    close(): void {
      try {
        super.close();
      } finally {
        recordOf(this).end();
      }
    },

    [Symbol.dispose](): void {
      try {
        super[Symbol.dispose]();
      } finally {
        recordOf(this).end();
      }
    },
  };
  return Object.defineProperties(prototype, streamAccessors((conn) => conn));
});

function recordOf(conn: object): OpenConn {
  return (conn as Recorded)[OPEN_CONN]!;
}
