/**
 * One limit for several processes and machines, through Redis or Valkey.
 *
 * @module
 */

export type { ExplainedLevel, ExplainedRule, Explanation, FoundBy } from "../core/explanation.ts";
export type { SharingLimitOptions } from "../shared/options.ts";
export type { SharedExplainedLevel, SharedExplanation } from "../shared/shared_explanation.ts";
export { type SharedStats, StoreLimiter } from "../shared/store_limiter.ts";
export type { StoreStatus } from "../shared/store_health.ts";
export type { CountReply, CountRequest, LifeSign, RegisteredSign, SharedStore, StoreEntry } from "../shared/store.ts";
export { SharedLimiter, type SharedLimiterOptions } from "./shared_limiter.ts";
export type { SendCommand } from "./script.ts";
