/**
 * Listeners that have a limiter.
 *
 * @module
 */

import { setTimeout } from "node:timers/promises";
import type { RefusalHooks } from "../admission/hooks.ts";
import type { OpenConns } from "../admission/open_conn.ts";
import type { Limiter } from "../core/limiter.ts";
import { checkPlainObject, checkTimeout, rejectUnknownKeys } from "../core/validate.ts";
import type { Acceptor } from "./acceptor.ts";
import { AcceptorListener } from "./acceptor_listener.ts";
import type { ConnLike, LimitedConn } from "./limited_conn.ts";
import { yieldToEventLoop } from "./yield_to_event_loop.ts";

/**
 * What a limited listener is told besides its limits.
 *
 * `onError` is also called for each accept that failed, after which the listener goes on. Without it, the first lack of
 * file descriptors is printed by `console.error`, and failures of single connections are only counted in
 * {@linkcode LimitedListener.acceptErrors}.
 */
export interface LimitedListenerOptions<C extends ConnLike = ConnLike> extends RefusalHooks<C> {
  /** Closes the listener when aborted, as {@linkcode LimitedListener.close} does. */
  readonly signal?: AbortSignal;
}

/** How to stop gracefully. */
export interface ShutdownOptions {
  /**
   * Milliseconds that open connections have to end, 0 to 2,147,483,647, or `Infinity`. Those open after that are closed.
   *
   * @default {10_000}
   */
  readonly timeout?: number;
}

/**
 * A listener whose connections are all admitted. Where a `Deno.Listener` is taken, this one can be given.
 *
 * @typeParam C The connections of the listener underneath.
 * @typeParam A The address of the listener underneath.
 */
export interface LimitedListener<C extends ConnLike = ConnLike, A = unknown> extends Disposable {
  /** What admits, counts and refuses its connections. */
  readonly limiter: Limiter;
  /** The address that it listens on. */
  readonly addr: A;
  /** Accepts that failed, most of them because the client was gone by then. Always 0 on Bun, which tells of none. */
  readonly acceptErrors: number;
  /**
   * Waits for the next admitted connection. As on Deno's listeners, one call at a time.
   *
   * @throws {Deno.errors.BadResource} Once the listener is closed; on Bun an `Error` of that name.
   * @throws {Deno.errors.Busy} While another call is pending; on Bun an `Error` of that name.
   */
  accept(): Promise<LimitedConn<C>>;
  /** Iterates over admitted connections until the listener is closed; leaving the loop closes it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<LimitedConn<C>>;
  /** Stops listening. Open connections stay open. Closing twice is no error. */
  close(): void;
  /** The same as {@linkcode LimitedListener.close}, for `using`. */
  [Symbol.dispose](): void;
  /**
   * Stops gracefully: stops listening, waits for this listener's connections to end, and closes those that are still
   * open when the time is over.
   *
   * @param options How long to wait.
   * @returns How many connections had to be closed. Rejects with a `TypeError` for an unknown option or a `timeout` that is
   * no number, and with a `RangeError` for one out of its range.
   */
  shutdown(options?: ShutdownOptions): Promise<number>;
  /** Lets a pending accept keep the process running, as it does at first. */
  ref(): void;
  /** Lets the process end in spite of a pending accept. */
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
    checkPlainObject("options", options);
    rejectUnknownKeys("shutdown option", options, ["timeout"]);
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
  const emptied = new AbortController();
  const waits = [openConns.idle()];
  if (timeout !== Infinity) waits.push(setTimeout(timeout, undefined, { signal: emptied.signal }).catch(() => {}));
  await Promise.race(waits);
  emptied.abort();
}
