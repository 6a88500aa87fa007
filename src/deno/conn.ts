/**
 * Ties slots to Deno connections.
 *
 * The connection stays Deno's own object, so that whatever takes a `Deno.Conn` still takes it. Only its prototype is put
 * behind one of ours, which sees every way in which the descriptor can be closed: `close()`, `using`, and the ends of its
 * streams.
 *
 * @module
 */

import { show } from "../options.ts";
import type { RemoteAddr } from "../peer.ts";
import type { Refusal, Slot } from "../slot.ts";
import { readableOf, writableOf } from "./streams.ts";
import { type OpenTies, Tie } from "./tie.ts";

/** What a connection must have to carry a slot; every `Deno.Conn` has it. */
export interface ConnLike extends Disposable {
  /** The peer's address. */
  readonly remoteAddr: RemoteAddr;
  /** Bytes from the peer. */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Bytes to the peer. */
  readonly writable: WritableStream<Uint8Array<ArrayBufferLike>>;
  /** Reads into `buffer` and says how many bytes; `null` at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes some of `data` and says how many bytes. */
  write(data: Uint8Array): Promise<number>;
  /** Closes the connection. */
  close(): void;
}

/** A connection that holds a slot until it is closed. */
export type LimitedConn<C extends ConnLike = ConnLike> = C & {
  /** The slot; with several of them, the one that was tied last. */
  readonly slot: Slot;
};

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
 * Ties a slot to a connection: the slot is freed when the connection is closed, in whichever way. For accept loops of
 * your own; `limitedListener` does it for you.
 *
 * The connection is changed in place and stays usable wherever it was. It may carry the slots of several limiters, all of
 * which are freed with it; where it has been closed since the first was tied, the next is freed at once.
 *
 * Tie a connection before anything is awaited and before its `readable` and `writable` are used: that it was closed
 * before, or by streams that were taken before, cannot be seen. `Deno.startTls(conn)` moves the descriptor to a new
 * connection that has no slot: tie it again, by `withSlot(tlsConn, conn.slot)`, and close `conn` too, after the other.
 *
 * @example One limit by address, and one by account
 * ```ts ignore
 * for await (const conn of limitedListener(listener, { maxPerClient: 100 })) serve(conn);
 *
 * async function serve(conn: Deno.Conn) {
 *   using _ = conn;
 *   withSlot(conn, accounts.accept({ key: await accountOf(conn) })); // throws LimitReachedError when refused
 *   …
 * }
 * ```
 *
 * @param conn An open connection.
 * @param slot A slot that has not been released.
 * @returns The same connection.
 * @throws {TypeError} If `slot` is not held, or `conn` is no connection or has methods of its own in place of those to be
 * watched. Both are then as they were.
 */
export function withSlot<C extends ConnLike>(conn: C, slot: Slot): LimitedConn<C> {
  if (typeof slot?.release !== "function" || !slot.admitted || slot.released) {
    throw new TypeError(`slot must be a slot that is held, got ${describeSlot(slot)}`);
  }
  for (const name of WATCHED) {
    if (Object.hasOwn(conn, name)) throw new TypeError(`conn must not have a ${String(name)} of its own`);
  }
  return tie(conn, slot, undefined);
}

function describeSlot(slot: Partial<Slot | Refusal> | undefined): string {
  if (slot?.admitted === false) return "a refusal";
  return slot?.admitted && (slot as Partial<Slot>).released ? "a released one" : show(slot);
}

/** What {@linkcode withSlot} does, with the tie entered among `ties` while the connection is open. */
export function tie<C extends ConnLike>(conn: C, slot: Slot, ties: OpenTies | undefined): LimitedConn<C> {
  const tied = conn as Tied;
  const under = tied[TIE];
  if (under === undefined) Object.setPrototypeOf(conn, limitedPrototype(conn));
  tied[TIE] = new Tie(conn, slot, under, ties);
  return conn as LimitedConn<C>;
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
