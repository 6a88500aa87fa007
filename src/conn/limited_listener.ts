/**
 * Listeners that have a limiter, as the server sees them.
 *
 * @module
 */

import type { ClientFinder } from "../admission/client_finder.ts";
import type { DeadlineOptions } from "../admission/deadline_options.ts";
import type { EvictionOptions } from "../admission/eviction_options.ts";
import type { AnswerHooks } from "../admission/refusal_answer.ts";
import type { DisposableLike } from "../core/disposable_like.ts";
import type { Admitter } from "../core/admitter.ts";
import type { Limiter } from "../core/limiter.ts";
import type { ConnLike, LimitedConn } from "./limited_conn.ts";

/**
 * The options of `limitedListener()`.
 *
 * `onError` also receives each failed accept, and what connections and listeners throw when they are closed. Without it,
 * the first failure is logged with `console.error`. Failed accepts that a client can cause are only counted, in
 * {@linkcode LimitedListener.acceptErrors}.
 *
 * On Bun it also receives the error of the first answer that is lost because `Bun.listen()` lacks `allowHalfOpen: true`.
 * Without it, that error is logged with `console.error`.
 */
export interface LimitedListenerOptions<C extends ConnLike = ConnLike>
  extends AnswerHooks<C>, DeadlineOptions<C>, EvictionOptions<C, "wait"> {
  /**
   * Finds the client of each connection behind a proxy: `proxyProtocol()` of `./proxy`. The connection's `remoteAddr` is then
   * the client's. Not over TLS.
   *
   * @default the peer is the client
   */
  readonly client?: ClientFinder;
  /** Closes the listener when aborted, as {@linkcode LimitedListener.close} does. */
  readonly signal?: AbortSignal;
}

/** The options of {@linkcode LimitedListener.shutdown}. */
export interface ShutdownOptions {
  /**
   * Milliseconds after which open connections are closed: 0 to 2,147,483,647, or `Infinity`.
   *
   * @default {10_000}
   */
  readonly timeout?: number;
}

/**
 * A listener that yields admitted connections only. It can be used as a `Deno.Listener`.
 *
 * @typeParam C The connections of the listener underneath.
 * @typeParam A The address of the listener underneath.
 * @typeParam L The limiter.
 */
export interface LimitedListener<C extends ConnLike = ConnLike, A = unknown, L extends Admitter = Limiter>
  extends DisposableLike {
  /** Admits, counts and refuses the connections. */
  readonly limiter: L;
  /** The address that it listens on. */
  readonly addr: A;
  /** The number of failed accepts, most of them of clients that reset. Always 0 on Bun. */
  readonly acceptErrors: number;
  /**
   * Waits for the next admitted connection. Only one call may be pending.
   *
   * @throws {Deno.errors.BadResource} If the listener is closed; on Bun an `Error` of that name.
   * @throws {Deno.errors.Busy} If another call is pending; on Bun an `Error` of that name.
   */
  accept(): Promise<LimitedConn<C>>;
  /** Iterates over admitted connections until the listener closes. Leaving the loop closes it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<LimitedConn<C>>;
  /** Stops listening, as `using` does. Open connections stay open. A second call does nothing. */
  close(): void;
  /**
   * Stops listening, waits for this listener's connections to close, and closes those that are open after the timeout.
   * When it resolves, none is open: those that still send after their close, as Bun's do over TLS, are reset.
   *
   * @param options The timeout.
   * @returns The number of connections that had to be closed. Rejects with a `TypeError` for an unknown option or a
   * `timeout` that is not a number, and with a `RangeError` for one out of its range.
   */
  shutdown(options?: ShutdownOptions): Promise<number>;
  /** Makes a pending `accept()` keep the process running, as it does by default. */
  ref(): void;
  /** Stops a pending `accept()` from keeping the process running. */
  unref(): void;
}
