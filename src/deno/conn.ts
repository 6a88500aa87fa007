/**
 * Ties slots to Deno connections.
 *
 * The connection stays Deno's own object, so that whatever takes a `Deno.Conn` still takes it. Only its prototype is put
 * behind one of ours, which sees every way in which the descriptor can be closed: `close()`, `using`, and the ends of its
 * streams.
 *
 * @module
 */

import type { ConnLike } from "../conn.ts";
import type { Slot } from "../slot.ts";
import { readableOf, writableOf } from "../streams.ts";
import { type OpenTies, Tie } from "../tie.ts";

const TIE = Symbol("connlimit.tie");
const READABLE = Symbol("connlimit.readable");
const WRITABLE = Symbol("connlimit.writable");

/** A connection as it looks once it is tied. */
interface Tied extends ConnLike {
  [TIE]?: Tie;
  [READABLE]?: ConnLike["readable"];
  [WRITABLE]?: ConnLike["writable"];
}

/** What a connection's end is seen by. */
const WATCHED = ["close", Symbol.dispose, "readable", "writable"] as const;

/** Our prototypes by the one they extend: Deno has one each for TCP, TLS and Unix connections. */
const prototypes = new WeakMap<object, object>();

/**
 * Frees `slot` when the connection is closed, and has its tie among `ties` until then.
 *
 * @throws {TypeError} If `conn` is no connection, or has something of its own in place of what is to be watched.
 */
export function tieNative(conn: ConnLike, slot: Slot, ties: OpenTies | undefined): void {
  for (const name of WATCHED) {
    if (Object.hasOwn(conn, name)) throw new TypeError(`conn must not have a ${String(name)} of its own`);
  }
  const tied = conn as Tied;
  const under = tied[TIE];
  if (under === undefined) Object.setPrototypeOf(conn, limitedPrototype(conn));
  tied[TIE] = new Tie(conn, slot, under, ties);
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
      return (this as unknown as Tied)[TIE]!.slot;
    },

    get readable(): ConnLike["readable"] {
      const conn = this as unknown as Tied;
      return conn[READABLE] ??= readableOf(conn, () => conn[Symbol.dispose]());
    },

    get writable(): ConnLike["writable"] {
      const conn = this as unknown as Tied;
      return conn[WRITABLE] ??= writableOf(conn, () => conn[Symbol.dispose]());
    },

    // Close first, then free; and free even where the descriptor is gone already and closing throws. With a read or a
    // write pending, Deno lets go of the descriptor when that has been told, a turn of the event loop later.
    close(): void {
      try {
        super.close();
      } finally {
        (this as unknown as Tied)[TIE]!.free();
      }
    },

    [Symbol.dispose](): void {
      try {
        super[Symbol.dispose]();
      } finally {
        (this as unknown as Tied)[TIE]!.free();
      }
    },
  };
}
