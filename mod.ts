/**
 * Bounds how many connections one client may hold open.
 *
 * @module
 */

export { type ConnLike, type LimitedConn, withSlot } from "./src/deno/conn.ts";
export { LimitReachedError } from "./src/errors.ts";
export type { ErrorHook } from "./src/hooks.ts";
export { type ClientCount, Limiter, type LimiterStats } from "./src/limiter.ts";
export type { AggregateOptions, Limits, LimitsOptions } from "./src/limits.ts";
export {
  type LimitedListener,
  limitedListener,
  type ListenerLike,
  type ListenerOptions,
  type ShutdownOptions,
} from "./src/listener.ts";
export type { NetworkRule } from "./src/networks.ts";
export type { Peer, RemoteAddr } from "./src/peer.ts";
export type { Refusal, RefusalReason, Slot } from "./src/slot.ts";
