/**
 * `limitSocketHandler()`: limits the handlers of a Bun listener.
 *
 * @module
 */

import { callHook, checkHooks, type RefusalHooks } from "../admission/hooks.ts";
import { type Limiter, toLimiter } from "../core/limiter.ts";
import type { LimitsOptions } from "../core/limits.ts";
import { type Peer, UNIX_PEER } from "../core/peer.ts";
import type { Slot } from "../core/slot.ts";
import { checkHook, formatValue } from "../core/validate.ts";
import { type BunListenerBase, type BunSocketLike, closeRefused, isTls, type SocketHandlers } from "./native.ts";
import { markGuarded, reloadListener, watchListener } from "./reload.ts";

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
 * @param options Hooks.
 * @returns The handlers for `Bun.listen()`.
 * @throws {TypeError} If `handlers` is not an object, for an unknown option or a value of the wrong type.
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
  /** Admits, counts and refuses the connections. */
  readonly limiter: Limiter;
};

/** What a guard has answered to a socket. */
interface Answer {
  readonly guard: SocketHandlerLimiter;
  /** Absent where it has refused. */
  readonly slot: Slot | undefined;
  /** Whether the handler `open` has to wait for the handshake of TLS. */
  handshaking: boolean;
  /** That of the guard in front, where there are several. */
  readonly before: Answer | undefined;
}

/** By this name a socket has the answers of all guards: whichever of them hears `close` frees all its slots. */
const ANSWER = Symbol("connlimit.answer");

interface GuardedSocket extends BunSocketLike {
  [ANSWER]?: Answer | undefined;
  /** Speaks TLS from here on, by two new sockets: one for what is below TLS, one for what is above. */
  upgradeTLS?(options: object): [raw: GuardedSocket, tls: unknown];
}

/** `socket.upgradeTLS()`: Bun then tells of the close by the socket below TLS, and not by the one that was accepted. */
function upgradeTLS(this: GuardedSocket, options: object): [raw: GuardedSocket, tls: unknown] {
  const sockets: [GuardedSocket, unknown] = Object.getPrototypeOf(this).upgradeTLS.call(this, options);
  sockets[0][ANSWER] = this[ANSWER];
  return sockets;
}

/** A limiter in front of handlers. */
class SocketHandlerLimiter {
  readonly #limiter: Limiter;
  readonly #hooks: RefusalHooks<BunSocketLike>;
  readonly #refusal: Answer = { guard: this, slot: undefined, handshaking: false, before: undefined };

  constructor(limiter: Limiter, hooks: RefusalHooks<BunSocketLike>) {
    this.#limiter = limiter;
    this.#hooks = hooks;
  }

  /** The handlers with this guard in front of them. */
  wrap<H extends SocketHandlers>(handlers: H): H {
    const { open, close, handshake } = handlers;
    // Bun does it for the others: of these it gets to see what stands in front of them.
    for (const [name, handler] of Object.entries({ open, close, handshake })) checkHook(name, handler ?? undefined);
    // Bun itself calls `open` after the handshake, unless there is a handler for that.
    const openAfterHandshake = handshake == null;
    // The listener of the last socket, and whether it speaks TLS: asked for once, not for each socket.
    let listener: BunListenerBase | undefined | null = null;
    let tls = false;
    const guarded: H = markGuarded(this, handlers, {
      ...allOf(handlers),

      open: (socket: GuardedSocket) => {
        if (socket.listener !== listener) {
          listener = socket.listener;
          tls = isTls(socket);
          watchListener(listener, guarded);
        }
        if (!this.#admit(socket, tls, openAfterHandshake && tls)) return;
        if (!openAfterHandshake || !tls) return open?.call(socket, socket);
      },

      // With this handler Bun tells of connections before the handshake.
      handshake: (socket: GuardedSocket, success: boolean, error: unknown) => {
        const answer = this.#answerTo(socket);
        if (answer !== undefined && answer.slot === undefined) return;
        if (answer?.handshaking && success) {
          answer.handshaking = false;
          callOpen(open, socket);
        }
        return handshake?.call(socket, socket, success, error);
      },

      close: (socket: GuardedSocket, error?: unknown) => {
        let heardOf = true;
        for (let answer = socket[ANSWER]; answer !== undefined; answer = answer.before) {
          answer.slot?.release();
          if (answer.guard === this) heardOf = answer.slot !== undefined && !answer.handshaking;
        }
        if (heardOf) return close?.call(socket, socket, error);
      },
    });
    return guarded;
  }

  #admit(socket: GuardedSocket, tls: boolean, handshaking: boolean): boolean {
    const admission = this.#limiter.tryAccept(peerOf(socket));
    const before = socket[ANSWER];
    if (admission.admitted) {
      socket[ANSWER] = { guard: this, slot: admission, handshaking, before };
      socket.reload = reloadListener;
      socket.upgradeTLS = upgradeTLS;
      return true;
    }
    // Before it is closed, since that calls the other handlers.
    socket[ANSWER] = before === undefined ? this.#refusal : { ...this.#refusal, before };
    callHook(this.#hooks.onRefused, this.#hooks.onError, admission, socket);
    closeRefused(socket, tls);
    return false;
  }

  #answerTo(socket: GuardedSocket): Answer | undefined {
    let answer = socket[ANSWER];
    while (answer !== undefined && answer.guard !== this) answer = answer.before;
    return answer;
  }
}

/** As with Bun, a connection whose `open` throws is closed. */
function callOpen(open: SocketHandlers["open"], socket: GuardedSocket): void {
  try {
    open?.call(socket, socket);
  } catch (error) {
    socket.terminate();
    throw error;
  }
}

function peerOf(socket: BunSocketLike): Peer {
  if (socket.remoteAddress !== undefined) return socket;
  return socket.listener?.unix === undefined ? socket : UNIX_PEER;
}

/** What Bun looks for. Methods of a class are not found by going over it. */
const NAMES = ["open", "close", "data", "drain", "end", "error", "connectError", "timeout", "handshake", "binaryType"];

function allOf<H extends object>(handlers: H): H {
  const all: Record<string, unknown> = {};
  for (const name in handlers) all[name] = handlers[name];
  for (const name of NAMES) {
    const handler = handlers[name as keyof H];
    if (handler !== undefined) all[name] = handler;
  }
  return all as H;
}
