/**
 * `withSlot()`: binds a slot to a connection.
 *
 * @module
 */

import { OPEN_CONN, type Recorded } from "../admission/open_conn.ts";
import { slotFrom } from "../admission/limit_once.ts";
import type { ConnLike, LimitedConn } from "../conn/limited_conn.ts";
import type { Refusal, Slot } from "../core/slot.ts";
import { formatValue } from "../core/validate.ts";
import { bindSlot } from "../deno/bind_slot.ts";

/**
 * Binds a slot to a connection: the slot is released when the connection closes, however that happens.
 * `limitedListener()` does this for each connection.
 *
 * The connection is changed in place and stays usable everywhere. It may carry the slots of several limiters; closing
 * it releases all of them. It may not carry two slots of one limiter for one client: the client would be counted twice.
 * With `maxPerClient: 1`, the limiter refuses the second one before `withSlot()` can say so.
 *
 * Bind before the first `await` and before using `readable` or `writable`: an earlier close is not seen. For this and
 * for `Deno.startTls()` see docs/runtimes.md in the repository.
 *
 * @example One limit by address, and one by account
 * ```ts ignore
 * for await (const conn of limitedListener(listener, { maxPerClient: 100 })) {
 *   serve(conn).catch(() => {}); // a refusal or a reset ends this connection, not the server
 * }
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
 * @throws {TypeError} If `slot` is not held, if `conn` has a slot of the same limiter and client, if `conn` is no
 * connection, or if `conn` has methods of its own in place of those that `withSlot()` observes. Neither argument is changed
 * then.
 */
export function withSlot<C extends ConnLike>(conn: C, slot: Slot): LimitedConn<C> {
  if (typeof slot?.release !== "function" || !slot.admitted || slot.released) {
    throw new TypeError(`slot must be a slot that is held, got ${describeSlot(slot)}`);
  }
  if (slotFrom(slot, (conn as Recorded | undefined)?.[OPEN_CONN], slot.client) !== undefined) {
    throw new TypeError("slot must be of a limiter that has not admitted the connection already: it counts it twice");
  }
  return bindSlot(conn, slot, undefined);
}

function describeSlot(slot: Partial<Slot | Refusal> | undefined): string {
  if (slot?.admitted === false) return "a refusal";
  return slot?.admitted && (slot as Partial<Slot>).released ? "a released one" : formatValue(slot);
}
