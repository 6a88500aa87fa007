/**
 * What a limiter shows of its counts.
 *
 * @module
 */

import type { RefusalReason } from "./reasons.ts";

/** A client and its number of open connections. */
export interface ClientCount {
  /** The client's name, as in `Slot.client`. */
  readonly client: string;
  /** The client's open connections, at least 1. */
  readonly open: number;
}

/**
 * Why a connection was closed at a deadline: its client has not said anything yet, no byte was read or written for a while,
 * or it has been open for long enough.
 */
export type TimeoutKind = "firstByte" | "idle" | "maxAge";

/** The counters of a limiter. With `limitRequests()`, they count requests and WebSockets as connections. */
export interface LimiterStats {
  /** Connections open now. */
  readonly open: number;
  /** Clients with open connections now. */
  readonly clients: number;
  /** The highest number of connections open at once. */
  readonly peak: number;
  /** Accepted connections that wait for a decision. Always 0 where decisions take no time. */
  readonly pending: number;
  /** Connections admitted since the limiter was created. */
  readonly admitted: number;
  /** Connections refused since the limiter was created. */
  readonly refused: number;
  /** Refused connections by reason. */
  readonly refusedBy: Readonly<Record<RefusalReason, number>>;
  /** Connections closed at a deadline since the limiter was created, by its kind. */
  readonly timedOut: Readonly<Record<TimeoutKind, number>>;
  /**
   * Connections that only `dryRun` has admitted, by the reason for which they would have been refused. They are not in
   * `open`, `clients`, `peak` and `admitted`, which are what they would be if the limits were in force.
   */
  readonly wouldRefuse: Readonly<Record<RefusalReason, number>>;
  /** Connections closed in favour of others since the limiter was created, by `whenFull: "evict"`. */
  readonly evicted: number;
}
