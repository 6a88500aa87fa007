/**
 * Limits connections to Bun's listeners.
 *
 * For servers with callbacks use {@linkcode limitSocketHandler}. For an accept loop pass a listener of
 * {@linkcode listen} to `limitedListener()` from the package's root. It also takes that of `Bun.listen()`, which needs
 * `allowHalfOpen: true` so that a client that has ended its side gets its answer.
 *
 * ```ts ignore
 * import { limitSocketHandler } from "@connlimit/connlimit/bun";
 *
 * Bun.listen({
 *   hostname: "0.0.0.0",
 *   port: 7000,
 *   socket: limitSocketHandler({ maxPerClient: 10 }, {
 *     data: (socket, data) => void socket.write(data),
 *   }),
 * });
 * ```
 *
 * @module
 */

export type { ClientFinder } from "../admission/client_finder.ts";
export type { DeadlineOptions, Timeout } from "../admission/deadline_options.ts";
export type { Eviction, EvictionOptions } from "../admission/eviction_options.ts";
export type { ErrorHook, RefusalHooks } from "../admission/hooks.ts";
export type {
  AnswerBudget,
  AnswerHooks,
  AnswerMessage,
  AnswerOptions,
  RefusalAnswer,
} from "../admission/refusal_answer.ts";
export type { Admitter, Awaitable, GivenLimits, LimiterOf } from "../core/admitter.ts";
export type { TimeoutKind } from "../core/limiter_stats.ts";
export type { BunAddr, BunConn, NetAddr, UnixAddr } from "./bun_conn.ts";
export {
  type LimitedSocketHandler,
  limitSocketHandler,
  type LimitSocketHandlerOptions,
  type SocketOf,
} from "./limit_socket_handler.ts";
export { type BunListener, type BunListenOptions, type BunUnixListenOptions, listen } from "./listen.ts";
export type { BunListenerBase, BunListenerLike, BunSocketLike, BunUnixListenerLike, SocketHandlers } from "./native.ts";
