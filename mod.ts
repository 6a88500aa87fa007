/**
 * Limits concurrent connections per client.
 *
 * {@linkcode limitedListener} wraps a listener of Deno or Bun. It yields admitted connections only. Each holds a slot
 * until it closes:
 *
 * ```ts ignore
 * import { limitedListener } from "@connlimit/connlimit";
 *
 * for await (const conn of limitedListener(Deno.listen({ port: 7000 }), { maxPerClient: 10 })) {
 *   conn.readable.pipeTo(conn.writable).catch(() => {});
 * }
 * ```
 *
 * Other servers have entry points of their own:
 *
 * | entry point | limits                                                                             |
 * | ----------- | ---------------------------------------------------------------------------------- |
 * | `./bun`     | connections to `Bun.listen()` with callbacks; makes listeners for `limitedListener()` |
 * | `./node`    | connections to `node:net`, `tls`, `http`, `https` and `http2`, on Node, Deno and Bun  |
 * | `./http`    | requests in flight and WebSockets of `Deno.serve()` and `Bun.serve()`                 |
 *
 * Arguments have one order everywhere: a listener or server that exists already, the limits, handlers written in place,
 * options.
 *
 * {@linkcode Limiter} counts, for accept loops of your own and for anything else that a client can hold open:
 *
 * ```ts
 * import { Limiter } from "@connlimit/connlimit";
 * import { assertEquals } from "@std/assert";
 *
 * const limiter = new Limiter({ maxPerClient: 10 });
 * {
 *   using slot = limiter.accept("2001:db8::1"); // throws LimitReachedError when refused
 *   assertEquals(slot.client, "2001:db8::/64");
 *   assertEquals(limiter.openFor("2001:db8::2"), 1);
 * }
 * assertEquals(limiter.open, 0);
 * ```
 *
 * @module
 */

export type { ClientFinder } from "./src/admission/client_finder.ts";
export type { DeadlineOptions, Timeout } from "./src/admission/deadline_options.ts";
export type { Eviction, EvictionOptions } from "./src/admission/eviction_options.ts";
export type { ErrorHook, RefusalHooks } from "./src/admission/hooks.ts";
export type {
  AnswerBudget,
  AnswerHooks,
  AnswerMessage,
  AnswerOptions,
  RefusalAnswer,
} from "./src/admission/refusal_answer.ts";
export type { RefusalLogEntry, RefusedEntry, RefusedMoreEntry } from "./src/admission/refusal_log.ts";
export {
  type LoggerLike,
  logRefusals,
  type LogRefusalsOptions,
  type RefusalLog,
} from "./src/admission/log_refusals.ts";
export { watchRefusals, type WatchRefusalsOptions } from "./src/admission/watch_refusals.ts";
export type { ConnLike, LimitedConn } from "./src/conn/limited_conn.ts";
export type { LimitedListener, LimitedListenerOptions, ShutdownOptions } from "./src/conn/limited_listener.ts";
export type { ListenerLike } from "./src/conn/listener_like.ts";
export type { Admitter, Awaitable, GivenLimits, LimiterOf } from "./src/core/admitter.ts";
export type { AsyncDisposableLike, DisposableLike } from "./src/core/disposable_like.ts";
export type { ExplainedLevel, ExplainedRule, Explanation, FoundBy } from "./src/core/explanation.ts";
export { Limiter } from "./src/core/limiter.ts";
export type { ClientCount, LimiterStats, TimeoutKind } from "./src/core/limiter_stats.ts";
export type { AggregateOptions, Limits, LimitsOptions } from "./src/core/limits.ts";
export type { Peer, RemoteAddr } from "./src/core/peer.ts";
export type { NetworkRule } from "./src/core/network_rules.ts";
export type { FairShareOptions } from "./src/core/fair_share.ts";
export type { Rate, RateOptions } from "./src/core/rate.ts";
export { REASONS, type RefusalReason } from "./src/core/reasons.ts";
export { LimitReachedError, RefusedError } from "./src/core/refused_error.ts";
export type { Admission, Refusal, Slot } from "./src/core/slot.ts";
export type { RefusedClient, TopClients } from "./src/core/top_clients.ts";
export type { AddrOf, AnyListener, ConnOf } from "./src/listener/any_listener.ts";
export { limitedListener } from "./src/listener/limited_listener.ts";
export { withSlot } from "./src/listener/with_slot.ts";
