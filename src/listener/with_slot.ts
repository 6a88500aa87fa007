/**
 * `withSlot()`: binds a slot to a connection.
 *
 * @module
 */

import type { ConnLike, LimitedConn } from "../conn/limited_conn.ts";
import type { Refusal, Slot } from "../core/slot.ts";
import { formatValue } from "../core/validate.ts";
import { bindSlot } from "../deno/bind_slot.ts";

/**
 * Ties a slot to a connection: the slot is freed when the connection is closed, in whichever way. For accept loops of
 * your own; `limitedListener` does it for you.
 *
 * The connection is changed in place and stays usable wherever it was. It may carry the slots of several limiters, all of
 * which are freed with it; where it has been closed since the first was tied, the next is freed at once.
 *
 * OpenConn a connection before anything is awaited and before its `readable` and `writable` are used: that it was closed
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
  return bindSlot(conn, slot, undefined);
}

function describeSlot(slot: Partial<Slot | Refusal> | undefined): string {
  if (slot?.admitted === false) return "a refusal";
  return slot?.admitted && (slot as Partial<Slot>).released ? "a released one" : formatValue(slot);
}
