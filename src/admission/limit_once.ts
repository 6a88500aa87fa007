/**
 * Each limiter counts a connection once, wherever the connection meets it.
 *
 * @module
 */

import { internalsOf } from "../core/internals.ts";
import type { Peer } from "../core/peer.ts";
import type { Slot } from "../core/slot.ts";
import type { OpenConn } from "./open_conn.ts";
import type { Admitter, Port } from "./port.ts";

/** The limiters of what has been made: handlers and listeners. */
const limitersOf = new WeakMap<object, readonly object[]>();

/**
 * Checks that a limiter is not met twice.
 *
 * @param name What is to be limited, as in `one that the handler does not have already`.
 * @throws {TypeError} If `limited` has the limiter already.
 */
export function checkLimitedOnce(name: string, limited: unknown, limiter: object): void {
  if (limitersIn(limited).includes(limiter)) throw limitedAlready(name);
}

/** Notes that `outer` has a limiter, and those of what it is made from. */
export function markLimited<T extends object>(outer: T, inner: object, limiter: object): T {
  limitersOf.set(outer, [...limitersIn(inner), limiter]);
  return outer;
}

/** The error of a limiter that something has already. */
export function limitedAlready(name: string): TypeError {
  return new TypeError(`limiter must be one that the ${name} does not have already: it would count everything twice`);
}

function limitersIn(limited: unknown): readonly object[] {
  return limitersOf.get(limited as object) ?? [];
}

/**
 * The slot of a limiter that a connection holds. The connection may carry the slots of several.
 *
 * @param owner The limiter, or another slot of it.
 * @param client The client that the slot must count against. By default, any.
 */
export function slotFrom(owner: object, record: OpenConn | undefined, client?: string): Slot | undefined {
  if (record === undefined) return undefined;
  const counts = internalsOf(owner)?.counts;
  if (counts === undefined) return undefined;
  for (let at: OpenConn | undefined = record; at !== undefined; at = at.under) {
    const { slot } = at;
    if (slot === undefined || internalsOf(slot)?.counts !== counts) continue;
    if (client === undefined || slot.client === client) return slot;
  }
  return undefined;
}

/**
 * The slot that a connection holds already of the limiter that is to be asked, and for the same client: it was admitted
 * before, and then passed on. It may count against another client as well, such as an account.
 *
 * @param found The client, if it is not the connection's peer.
 */
export function slotHeld<C, R>(limiter: Admitter, port: Port<C, R>, conn: C, found?: Peer): Slot | undefined {
  const record = port.recordOf?.(conn);
  if (record === undefined) return undefined;
  const client = internalsOf(limiter)?.clientOf?.(found ?? port.peerOf(conn));
  return client ? slotFrom(limiter, record, client) : undefined;
}
