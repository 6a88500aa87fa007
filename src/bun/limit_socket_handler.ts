/**
 * `limitSocketHandler()`: limits the handlers of a Bun listener.
 *
 * @module
 */

import { type ClientFinder, findClients } from "../admission/client_finder.ts";
import { checkDeadlines, type DeadlineOptions, DEADLINES } from "../admission/deadline_options.ts";
import { checkLimitedOnce, markLimited } from "../admission/limit_once.ts";
import { checkEvictions, type EvictionOptions, EVICTIONS } from "../admission/eviction_options.ts";
import { type AnswerHooks, checkAnswerHooks } from "../admission/refusal_answer.ts";
import { stageFor } from "../admission/stage_for.ts";
import type { Admitter, GivenLimits, LimiterOf } from "../core/admitter.ts";
import type { Limiter } from "../core/limiter.ts";
import type { LimitsOptions } from "../core/limits.ts";
import { toLimiter } from "../core/to_limiter.ts";
import { typeError } from "../core/validate.ts";
import type { BunSocketLike, SocketHandlers } from "./native.ts";
import { socketAccess } from "./socket_access.ts";
import { SocketHandlerLimiter } from "./socket_handler_limiter.ts";

/**
 * The options of {@linkcode limitSocketHandler}.
 *
 * @typeParam S The sockets.
 */
export interface LimitSocketHandlerOptions<S = BunSocketLike>
  extends AnswerHooks<S>, DeadlineOptions<S>, EvictionOptions<S> {
  /**
   * Finds the client of each connection behind a proxy: `proxyProtocol()` of `./proxy`. The socket's `remoteAddress` is then
   * the client's, and `open` is called when it has been found. Not over TLS.
   *
   * @default the peer is the client
   */
  readonly client?: ClientFinder;
}

/** Why connections cannot wait. */
const NO_WAIT = "Bun accepts connections by itself, and cannot leave them in the backlog; limit a Deno.listen() by " +
  "limitedListener(), or let requests wait with limitRequests()";

/** The type of the sockets that handlers are called with. */
export type SocketOf<H> = H extends { data?: (socket: infer S, ...rest: never[]) => unknown } ? S
  : H extends { open?: (socket: infer S) => unknown } ? S
  : BunSocketLike;

/**
 * Limits the handlers of `Bun.listen()`, for servers with callbacks.
 *
 * A connection is counted at accept. No handler is called for a refused one. An admitted one holds its slot until Bun
 * closes it. A later `reload()` keeps the limits.
 *
 * Handlers behave as without limits, with two exceptions. Over TLS, `open` is called only after a successful handshake,
 * unless there is a `handshake` handler. `close` is called only for connections whose `open` was called. For
 * connections that Bun does not close by itself see docs/runtimes.md in the repository.
 *
 * @example An echo server
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
 * @param limits A limiter, which several listeners may share, or limits for a new one.
 * @param handlers The handlers, read once. They may be limited already by another limiter; both must admit then.
 * @param options An answer for refused clients, deadlines, hooks, and what finds clients behind a proxy.
 * @returns The handlers for `Bun.listen()`.
 * @throws {TypeError} If `handlers` is not an object, for an unknown option, a value of the wrong type, or a limiter that
 * the handlers have already.
 * @throws {RangeError} For a limit or a deadline out of its range.
 */
export function limitSocketHandler<H extends SocketHandlers, S = SocketOf<H>, L extends GivenLimits = Limiter>(
  limits: L | LimitsOptions,
  handlers: H,
  options: LimitSocketHandlerOptions<S> = {},
): LimitedSocketHandler<H, LimiterOf<L>> {
  if (typeof handlers !== "object" || handlers === null) {
    throw typeError("handlers", "an object", handlers);
  }
  checkAnswerHooks("socket handler", options, ["client", ...DEADLINES, ...EVICTIONS]);
  checkDeadlines(options);
  checkEvictions(options, NO_WAIT);
  const limiter = toLimiter(limits);
  checkLimitedOnce("socket handler", handlers, limiter);
  const pending = findClients(options.client, socketAccess) ?? stageFor(limiter);
  const limited = new SocketHandlerLimiter(limiter, options as LimitSocketHandlerOptions, pending).wrap(handlers);
  markLimited(limited, handlers, limiter);
  // Not enumerable: handlers that are copied or limited once more have their own limiter or none.
  return Object.defineProperty(limited, "limiter", { value: limiter }) as LimitedSocketHandler<H, LimiterOf<L>>;
}

/**
 * Handlers with limits, and their limiter.
 *
 * @typeParam H The handlers.
 * @typeParam L The limiter.
 */
export type LimitedSocketHandler<H, L extends Admitter = Limiter> = H & {
  /** Admits, counts and refuses the connections. */
  readonly limiter: L;
};
