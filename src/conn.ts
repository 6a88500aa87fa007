/**
 * Connections that hold slots.
 *
 * @module
 */

import { tieNative } from "./deno/conn.ts";
import { show } from "./options.ts";
import type { RemoteAddr } from "./peer.ts";
import type { Refusal, Slot } from "./slot.ts";
import type { OpenTies } from "./tie.ts";

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

/** A connection of our own, which knows how to hold slots; to the runtimes' own that has to be taught. */
export abstract class HoldingConn {
  /** Frees `slot` when the descriptor is closed, and has its tie among `ties` until then. */
  abstract hold(slot: Slot, ties: OpenTies | undefined): void;
}

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
  return tie(conn, slot, undefined);
}

function describeSlot(slot: Partial<Slot | Refusal> | undefined): string {
  if (slot?.admitted === false) return "a refusal";
  return slot?.admitted && (slot as Partial<Slot>).released ? "a released one" : show(slot);
}

/** What {@linkcode withSlot} does, with the tie entered among `ties` while the connection is open. */
export function tie<C extends ConnLike>(conn: C, slot: Slot, ties: OpenTies | undefined): LimitedConn<C> {
  if (conn instanceof HoldingConn) conn.hold(slot, ties);
  else tieNative(conn, slot, ties);
  return conn as LimitedConn<C>;
}
