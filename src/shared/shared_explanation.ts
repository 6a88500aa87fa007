/**
 * The result of `StoreLimiter.explain()`.
 *
 * @module
 */

import type { ExplainedLevel, Explanation } from "../core/explanation.ts";
import type { StoreStatus } from "./store_health.ts";

/**
 * What a shared limiter would answer to a peer now, and why: here and everywhere. A plain object with JSON's types only, so
 * `JSON.stringify()` loses nothing.
 */
export interface SharedExplanation extends Explanation {
  /** The levels at which the connection needs room, in the order in which they are checked. */
  readonly levels: readonly SharedExplainedLevel[];
  /** Whether the store answers. */
  readonly status: StoreStatus;
}

/** One of the limits that a connection must fit under, here and everywhere. */
export interface SharedExplainedLevel extends ExplainedLevel {
  /**
   * Connections at all instances, with those for which instances hold places in reserve: what the store counts. `null` where it
   * does not count, as without a limit, or does not answer.
   */
  readonly openEverywhere: number | null;
}
