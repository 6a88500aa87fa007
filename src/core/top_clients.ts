/**
 * The result of `Limiter.top()`.
 *
 * @module
 */

import type { ClientCount } from "./limiter_stats.ts";
import type { RefusalReason } from "./reasons.ts";

/** The clients with most open connections, and those refused most lately. A plain object that JSON can carry. */
export interface TopClients {
  /** The clients with most open connections, the highest number first. */
  readonly open: readonly ClientCount[];
  /** The clients refused most lately, the highest number first. `null` unless `watchRefusals()` watches the limiter. */
  readonly refused: readonly RefusedClient[] | null;
}

/** A client, and how often it has been refused lately. */
export interface RefusedClient {
  /** The client's name, as in `Slot.client`. A key with more than 64 characters is cut. */
  readonly client: string;
  /** Refusals lately, at least. */
  readonly refused: number;
  /** How many more there may have been. 0 while few clients are refused. */
  readonly error: number;
  /** The reason of the last refusal. */
  readonly reason: RefusalReason;
}

/** Ranks the clients that are refused most. */
export interface RefusalRanking {
  /** Returns the first `n` of them. */
  top(n: number): readonly RefusedClient[];
}
