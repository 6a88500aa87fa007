/**
 * Each limiter counts a connection once, wherever the connection meets it.
 *
 * @module
 */

import { internalsOf, ownInternals } from "../core/internals.ts";
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
  if (limitersIn(limited).some((other) => countsTogether(other, limiter))) throw limitedAlready(name);
}

/** Whether two limiters are one, or count by the same one. */
export function countsTogether(one: object, other: object): boolean {
  return one === other || internalsOf(one) !== undefined && internalsOf(one)?.counts === internalsOf(other)?.counts;
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

/** By slot, the limiter of the user's that has given it. Other slots name their limiters by themselves. */
const givers = new WeakMap<Slot, object>();

/** Notes that a limiter has given a slot. One that only counts by the same limiter has not: it decides for itself. */
export function noteGiver(slot: Slot, limiter: object): void {
  if (ownInternals(limiter) === undefined) givers.set(slot, limiter);
}

/**
 * The slot of a limiter that a connection holds. The connection may carry the slots of several.
 *
 * @param owner The limiter, or another slot of it.
 * @param client The client that the slot must count against. By default, any.
 */
export function slotFrom(owner: object, record: OpenConn | undefined, client?: string): Slot | undefined {
  const counts = record && ownInternals(owner)?.counts;
  for (let at = record; at !== undefined; at = at.under) {
    const { slot } = at;
    if (slot === undefined || slot.released) continue;
    const own = counts === undefined ? givers.get(slot) === owner : ownInternals(slot)?.counts === counts;
    if (own && (client === undefined || slot.client === client)) return slot;
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
