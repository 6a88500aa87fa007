/**
 * The results of admission: slots and refusals.
 *
 * @module
 */

import type { DisposableLike } from "./disposable_like.ts";
import { byReason, type RefusalReason } from "./reasons.ts";

/**
 * The right of one admitted connection to be open. Release it when the connection's file descriptor is closed: with
 * `using`, with {@linkcode Slot.release}, or by binding it to the connection with `withSlot()`.
 */
export interface Slot extends DisposableLike {
  /** Distinguishes a slot from a {@linkcode Refusal}. */
  readonly admitted: true;
  /** The client that the slot counts against: `192.0.2.7`, `2001:db8:0:1::/64`, `unix`, or the peer's `key`. */
  readonly client: string;
  /** Whether the slot has been released. */
  readonly released: boolean;
  /** Releases the slot, as `using` does. Further calls do nothing. */
  release(): void;
}

/**
 * The result for a refused connection. Each reason has one frozen object that all refusals share, so that a refusal
 * allocates nothing. `using admission = limiter.tryAccept(conn)` is valid for both results.
 */
export interface Refusal extends DisposableLike {
  /** Distinguishes a refusal from a {@linkcode Slot}. */
  readonly admitted: false;
  /** Why the connection was refused. */
  readonly reason: RefusalReason;
}

/** The refusal of each reason. */
export const REFUSALS: Readonly<Record<RefusalReason, Refusal>> = byReason((reason) =>
  Object.freeze({ admitted: false as const, reason, [Symbol.dispose]() {} })
);

/** A slot or a refusal; `admitted` distinguishes them. */
export type Admission = Slot | Refusal;
