/**
 * What the limiter answers: a slot or a refusal.
 *
 * @module
 */

import { byReason, type RefusalReason } from "./reasons.ts";

/**
 * The right of one admitted connection to be open. Give it back when the connection's descriptor is closed: by `using`,
 * by {@linkcode Slot.release}, or by tying it to the connection with `withSlot`.
 */
export interface Slot extends Disposable {
  /** Tells a slot from a {@linkcode Refusal}. */
  readonly admitted: true;
  /** The client it is counted against: `192.0.2.7`, `2001:db8:0:1::/64`, `unix`, or the key given for it. */
  readonly client: string;
  /** Whether it has been given back. */
  readonly released: boolean;
  /** Gives the slot back. Only the first call counts. */
  release(): void;
  /** The same as {@linkcode Slot.release}, for `using`. */
  [Symbol.dispose](): void;
}

/**
 * The answer to a connection that may not open. There is one object for each reason, frozen and shared, so that a
 * refusal allocates nothing.
 */
export interface Refusal extends Disposable {
  /** Tells a refusal from a {@linkcode Slot}. */
  readonly admitted: false;
  /** Why. */
  readonly reason: RefusalReason;
  /** Does nothing, so that `using admission = limiter.tryAccept(conn)` works either way. */
  [Symbol.dispose](): void;
}

/** The refusal for each reason. */
export const REFUSALS: Readonly<Record<RefusalReason, Refusal>> = byReason((reason) =>
  Object.freeze({ admitted: false as const, reason, [Symbol.dispose]() {} })
);

/** What a limiter answers; `admitted` tells the two apart. */
export type Admission = Slot | Refusal;
