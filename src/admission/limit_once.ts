/**
 * Each limiter counts a connection once, wherever the connection meets it.
 *
 * @module
 */

import { internalsOf } from "../core/internals.ts";
import type { Slot } from "../core/slot.ts";
import type { OpenConn } from "./open_conn.ts";

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
 */
export function slotFrom(owner: object, record: OpenConn | undefined): Slot | undefined {
  if (record === undefined) return undefined;
  const counts = internalsOf(owner)?.counts;
  if (counts === undefined) return undefined;
  for (let at: OpenConn | undefined = record; at !== undefined; at = at.under) {
    if (at.slot !== undefined && internalsOf(at.slot)?.counts === counts) return at.slot;
  }
  return undefined;
}
