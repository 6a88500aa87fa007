/**
 * Ties slots to Deno connections.
 *
 * The connection stays Deno's own object, so that whatever takes a `Deno.Conn` still takes it. Only its prototype is put
 * behind one of ours, which sees every way in which the descriptor can be closed: `close()`, `using`, and the ends of its
 * streams.
 *
 * @module
 */

import type { RemoteAddr } from "../peer.ts";
import type { Slot } from "../slot.ts";
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

/** Our prototypes by the one they extend: Deno has one each for TCP, TLS and Unix connections. */
const prototypes = new WeakMap<object, object>();

/**
 * Ties a slot to a connection: the slot is freed when the connection is closed, in whichever way. For accept loops of
 * your own; `limitedListener` does it for you.
 *
 * The connection is changed in place and stays usable wherever it was. It may carry the slots of several limiters, all of
 * which are freed with it. `Deno.startTls(conn)` moves the descriptor to a new object that has no slot: tie it again, by
 * `withSlot(tlsConn, conn.slot)`.
 *
 * @example An accept loop that serves accounts
 * ```ts ignore
 * const conn = await listener.accept();
 * const admission = limiter.tryAccept({ key: await accountOf(conn) });
 * if (admission.admitted) serve(withSlot(conn, admission));
 * else conn.close();
 * ```
 *
 * @param conn An open connection.
 * @param slot A slot that has not been released.
 * @returns The same connection.
 * @throws {TypeError} If `slot` is a refusal or released, or `conn` is no connection. Both are then as they were.
 */
export function withSlot<C extends ConnLike>(conn: C, slot: Slot): LimitedConn<C> {
  return tie(conn, slot, undefined);
}

/** What {@linkcode withSlot} does, with the tie entered among `ties` while the connection is open. */
export function tie<C extends ConnLike>(conn: C, slot: Slot, ties: OpenTies | undefined): LimitedConn<C> {
  if (!slot.admitted || slot.released) {
    throw new TypeError(`slot must be held, got ${slot.admitted ? "a released one" : "a refusal"}`);
  }
  const tied = conn as Tied;
  const before = tied[TIE];
  if (before === undefined) Object.setPrototypeOf(conn, limitedPrototype(conn));
  tied[TIE] = new Tie(conn, slot, before, ties);
  return conn as LimitedConn<C>;
}

function limitedPrototype(conn: ConnLike): object {
  const native = Object.getPrototypeOf(conn);
  let prototype = prototypes.get(native);
  if (prototype === undefined) {
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

    // Close first, then free; and free even where the descriptor is gone already and closing throws.
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
