/**
 * Binds slots to connections.
 *
 * @module
 */

import { OPEN_CONN, OpenConn, type OpenConns, type Recorded } from "../admission/open_conn.ts";
import { extendPrototype, FieldsOf, hideProperties, streamAccessors } from "../conn/extend_prototype.ts";
import type { ConnLike, LimitedConn } from "../conn/limited_conn.ts";
import type { Slot } from "../core/slot.ts";
import { typeError } from "../core/validate.ts";

/** The members by which a connection's end is observed. */
const OBSERVED = ["close", Symbol.dispose, "readable", "writable"] as const;

/**
 * Releases `slot` when a connection is closed. The connection is among `openConns` until then. A Deno connection stays
 * Deno's own object, so that whatever takes a `Deno.Conn` still takes it.
 *
 * @throws {TypeError} If `conn` is no connection, or has members of its own where its end is observed.
 */
export function bindSlot<C extends ConnLike>(conn: C, slot: Slot, openConns: OpenConns | undefined): LimitedConn<C> {
  if (typeof conn !== "object" || conn === null) throw typeError("conn", "a connection", conn);
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

    get [OPEN_CONN](): OpenConn | undefined {
      return RecordOf.get(this);
    },

    set [OPEN_CONN](record: OpenConn) {
      RecordOf.set(this, record);
    },

    get slot(): Slot {
      return RecordOf.get(this)?.slot!;
    },

    // Close first, then release; and release even where the descriptor is gone already and the close throws. With a read or
    // a write pending, Deno closes the descriptor when that has rejected, a turn of the event loop later.
    close(): void {
      try {
        super.close();
      } finally {
        RecordOf.get(this)!.end();
      }
    },

    [Symbol.dispose](): void {
      try {
        super[Symbol.dispose]();
      } finally {
        RecordOf.get(this)!.end();
      }
    },
  };
  return Object.defineProperties(hideProperties(prototype), streamAccessors((conn) => conn));
});

/** The record of a connection, where nobody who looks at the connection sees it. */
class RecordOf extends FieldsOf {
  #record: OpenConn;

  constructor(conn: object, record: OpenConn) {
    super(conn);
    this.#record = record;
  }

  static get(conn: object): OpenConn | undefined {
    return #record in conn ? conn.#record : undefined;
  }

  static set(conn: object, record: OpenConn): void {
    if (#record in conn) conn.#record = record;
    else new RecordOf(conn, record);
  }
}
