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
  /** In a dry run, the refusal that the connection would have got. Absent if the limits admit it. */
  readonly wouldRefuse?: Refusal;
  /** Releases the slot, as `using` does. Further calls do nothing. */
  release(): void;
}

/**
 * The result for a refused connection. Each reason has one frozen object that its refusals share, so that a refusal
 * allocates nothing; only refusals for a rate have objects of their own. `using admission = limiter.tryAccept(conn)` is valid for both results.
 */
export interface Refusal extends DisposableLike {
  /** Distinguishes a refusal from a {@linkcode Slot}. */
  readonly admitted: false;
  /** Why the connection was refused. */
  readonly reason: RefusalReason;
  /** For `"rate"`: whole seconds until the next connection of the client is due. Absent for other reasons. */
  readonly retryAfter?: number;
  /** `true` if the connection was admitted nonetheless, because the limits have `dryRun`. Absent otherwise. */
  readonly dryRun?: boolean;
}

/** The refusal of each reason. */
export const REFUSALS: Readonly<Record<RefusalReason, Refusal>> = byReason((reason) =>
  Object.freeze({ admitted: false as const, reason, [Symbol.dispose]() {} })
);

/** The refusals that a dry run does not carry out. */
export const DRY_REFUSALS: Readonly<Record<RefusalReason, Refusal>> = byReason((reason) =>
  Object.freeze({ ...REFUSALS[reason], dryRun: true })
);

/** The refusal of a connection that comes too early. */
export function rateRefusal(retryAfter: number): Refusal {
  return { ...REFUSALS.rate, retryAfter };
}

/** A slot or a refusal; `admitted` distinguishes them. */
export type Admission = Slot | Refusal;
