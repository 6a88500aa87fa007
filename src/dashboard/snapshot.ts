/**
 * What a dashboard tells of its limiters, as it is in `stats.json` and in its events.
 *
 * @module
 */

import type { LimiterStats } from "../core/limiter_stats.ts";
import type { Limits } from "../core/limits.ts";
import type { RefusalReason } from "../core/reasons.ts";
import type { RefusedClient } from "../core/top_clients.ts";

/** What a dashboard shows at one time. JSON has `null` for `Infinity`. */
export interface DashboardSnapshot {
  /** Milliseconds since 1970, as `Date.now()`. */
  readonly time: number;
  /** The limiters, in the order in which they were given, without those that are garbage. */
  readonly limiters: readonly DashboardLimiter[];
}

/** What a dashboard shows of a limiter. */
export interface DashboardLimiter {
  /** The name that it was given. */
  readonly name: string;
  /** Its counters. Those of a shared limiter have more fields. */
  readonly stats: LimiterStats;
  /** Its limits. */
  readonly limits: ShownLimits;
  /** Its clients. `null` if the limiter does not tell them. */
  readonly top: {
    /** Those with most open connections, the highest number first. */
    readonly open: readonly OpenClient[];
    /** Those refused most in the last one to two minutes, the highest number first. */
    readonly refused: readonly RefusedClient[];
  } | null;
  /** What it has counted lately. */
  readonly history: DashboardHistory;
}

/** Limits, with no more than 50 of the rules in `networks`. */
export interface ShownLimits extends Limits {
  /** The number of rules in `networks`. */
  readonly networkCount: number;
}

/** A client with open connections. */
export interface OpenClient {
  /** The client's name, escaped where it is not printable, and cut to 64 characters. */
  readonly client: string;
  /** Its open connections. */
  readonly open: number;
  /** The most that it may have open. `null` is no limit. */
  readonly max: number | null;
}

/** The last 300 samples, the newest last. */
export interface DashboardHistory {
  /** Milliseconds between two samples. */
  readonly interval: number;
  /** Open connections at each sample. */
  readonly open: readonly number[];
  /** Refusals since the sample before, by reason; in a dry run, what would have been refused. Absent reasons had none. */
  readonly refused: Readonly<Partial<Record<RefusalReason, readonly number[]>>>;
}
