/**
 * Listeners that have a limiter.
 *
 * @module
 */

import type { RefusalHooks } from "../admission/hooks.ts";
import type { OpenConns } from "../admission/open_conn.ts";
import type { Limiter } from "../core/limiter.ts";
import { checkOptions, checkTimeout } from "../core/validate.ts";
import type { Acceptor } from "./acceptor.ts";
import { AcceptorListener } from "./acceptor_listener.ts";
import type { ConnLike, LimitedConn } from "./limited_conn.ts";
import { yieldToEventLoop } from "./yield_to_event_loop.ts";

/**
 * The options of `limitedListener()`.
 *
 * `onError` also receives each failed accept. Without it, the first lack of file descriptors is logged with
 * `console.error`; other failed accepts are only counted in {@linkcode LimitedListener.acceptErrors}.
 */
export interface LimitedListenerOptions<C extends ConnLike = ConnLike> extends RefusalHooks<C> {
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
 */
export interface LimitedListener<C extends ConnLike = ConnLike, A = unknown> extends Disposable {
  /** Admits, counts and refuses the connections. */
  readonly limiter: Limiter;
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
  /** Stops listening. Open connections stay open. A second call does nothing. */
  close(): void;
  /** Calls {@linkcode LimitedListener.close}, for `using`. */
  [Symbol.dispose](): void;
  /**
   * Stops listening, waits for this listener's connections to close, and closes those that are open after the timeout.
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

/** The only implementation of {@linkcode LimitedListener}. */
export class LimitedAcceptorListener<C extends ConnLike, A> extends AcceptorListener<C, A>
  implements LimitedListener<C, A> {
  readonly limiter: Limiter;

  constructor(acceptor: Acceptor<C, A>, limiter: Limiter, signal: AbortSignal | undefined) {
    super(acceptor);
    this.limiter = limiter;
    // Removed again by the listener's own end, since the signal may well outlive it.
    signal?.addEventListener("abort", () => this.close(), { signal: acceptor.closed });
    if (signal?.aborted) this.close();
  }

  get acceptErrors(): number {
    return this.acceptor.acceptErrors;
  }

  async shutdown(options: ShutdownOptions = {}): Promise<number> {
    checkOptions("options", "shutdown option", options, ["timeout"]);
    const { timeout = 10_000 } = options;
    checkTimeout("timeout", timeout);
    this.close();
    // An accept that had succeeded when the listener was closed still yields its connection.
    await yieldToEventLoop();
    const { openConns } = this.acceptor;
    if (openConns.size > 0) await emptyWithin(openConns, timeout);
    const conns = openConns.conns() as Disposable[];
    for (const conn of conns) conn[Symbol.dispose]();
    return conns.length;
  }
}

async function emptyWithin(openConns: OpenConns, timeout: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    if (timeout !== Infinity) timer = setTimeout(resolve, timeout);
  });
  await Promise.race([openConns.idle(), late]);
  clearTimeout(timer);
}
