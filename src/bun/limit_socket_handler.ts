/**
 * `limitSocketHandler()`: limits the handlers of a Bun listener.
 *
 * @module
 */

import { checkHooks, type RefusalHooks } from "../admission/hooks.ts";
import { type Limiter, toLimiter } from "../core/limiter.ts";
import type { LimitsOptions } from "../core/limits.ts";
import { formatValue } from "../core/validate.ts";
import type { BunSocketLike, SocketHandlers } from "./native.ts";
import { SocketHandlerLimiter } from "./socket_handler_limiter.ts";

/** The sockets that handlers are called with. */
export type SocketOf<H> = H extends { data?: (socket: infer S, ...rest: never[]) => unknown } ? S
  : H extends { open?: (socket: infer S) => unknown } ? S
  : BunSocketLike;

/**
 * Limits the handlers of a `Bun.listen()`, for servers that are written with callbacks. A refused connection reaches none
 * of the handlers. An admitted one holds its slot until it is closed, which Bun's `close` tells in all cases.
 *
 * The handlers are called as Bun calls them, and those that are not needed here are passed on as they are. They differ from
 * handlers that are not limited in this only: over TLS, `open` is called when the handshake has succeeded, and not when it
 * has failed; and `close` is called only for connections that `open` was called for.
 *
 * Connections are counted when they are accepted, over TLS too, where a refused one gets no handshake. A later `reload()`,
 * on the listener or one of its sockets, keeps the limits: other handlers are limited in the same way. Before the first
 * connection it cannot be seen, so give it handlers that are limited then.
 *
 * Some connections stay open although their peers have left, since Bun does not close them: paused ones, and with
 * `allowHalfOpen` those whose handler `end` does not call `socket.end()`. Their slots stay held as well. Over TLS,
 * `socket.end()` waits for the client to end its side, and nothing ends the wait; `socket.close()` waits only for a client
 * that does not read.
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
 * @param limits A limiter, which several listeners may share, or the limits for one of its own.
 * @param handlers The handlers. They are read once, here, as Bun does; and they may be those that this function returned
 * for another limiter, both of which then have to admit.
 * @param options Hooks.
 * @returns The handlers for `Bun.listen()`.
 * @throws {TypeError} If `handlers` is no object, for an unknown option or a value of the wrong type.
 * @throws {RangeError} For a limit out of its range.
 */
export function limitSocketHandler<H extends SocketHandlers, S = SocketOf<H>>(
  limits: Limiter | LimitsOptions,
  handlers: H,
  options: RefusalHooks<S> = {},
): LimitedSocketHandler<H> {
  if (typeof handlers !== "object" || handlers === null) {
    throw new TypeError(`handlers must be an object, got ${formatValue(handlers)}`);
  }
  checkHooks("socket handler", options);
  const limiter = toLimiter(limits);
  const limited = new SocketHandlerLimiter(limiter, options as RefusalHooks<BunSocketLike>).wrap(handlers);
  // Not enumerable: handlers that are copied or limited once more have their own limiter or none.
  return Object.defineProperty(limited, "limiter", { value: limiter }) as LimitedSocketHandler<H>;
}

/**
 * Handlers with limits, and their limiter.
 *
 * @typeParam H The handlers.
 */
export type LimitedSocketHandler<H> = H & {
  /** What admits, counts and refuses the connections. */
  readonly limiter: Limiter;
};
