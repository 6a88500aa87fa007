/**
 * Listeners over a source of connections: what is the same on all runtimes.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { setTimeout } from "node:timers/promises";
import type { ConnLike, LimitedConn } from "./conn.ts";
import type { Limiter } from "./limiter.ts";
import type { LimitedListener, ListenerLike, ShutdownOptions } from "./listener.ts";
import { checkKnown, checkRecord, checkTimeout } from "./options.ts";
import type { OpenTies } from "./tie.ts";

/** Where admitted connections come from: what differs per runtime. */
export interface ConnSource<C extends ConnLike, A> {
  /** The address that is listened on. */
  readonly addr: A;
  /** Accepts that failed. */
  readonly acceptErrors: number;
  /** The ties of the connections that it has yielded and that are open. */
  readonly ties: OpenTies;
  /** Aborted when listening has ended, by whomever. */
  readonly closed: AbortSignal;
  /** Waits for the next connection; done when listening has ended. Rejects while another call is pending. */
  next(): Promise<IteratorResult<LimitedConn<C>, undefined>>;
  /** What an accept rejects with once listening has ended. */
  closedError(): unknown;
  /** Stops listening. Doing it twice changes nothing. */
  close(): void;
  /** Lets listening keep the process running. */
  ref(): void;
  /** Lets the process end. */
  unref(): void;
}

/** Resolves in the next turn of the event loop, in which other sockets have their say. */
export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** A listener over a source: what a `Deno.Listener` can do. */
export class SourceListener<C extends ConnLike, A> implements ListenerLike<LimitedConn<C>, A>, Disposable {
  /** Where its connections come from. */
  readonly source: ConnSource<C, A>;

  constructor(source: ConnSource<C, A>) {
    this.source = source;
  }

  get addr(): A {
    return this.source.addr;
  }

  async accept(): Promise<LimitedConn<C>> {
    const { done, value } = await this.source.next();
    if (done) throw this.source.closedError();
    return value;
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<LimitedConn<C>> {
    const iterator: AsyncIterableIterator<LimitedConn<C>> = {
      next: () => this.source.next(),
      // Not a generator: its `return()` would wait for the accept under way instead of ending it.
      return: () => {
        this.close();
        return Promise.resolve({ done: true, value: undefined });
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  close(): void {
    this.source.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  ref(): void {
    this.source.ref();
  }

  unref(): void {
    this.source.unref();
  }
}

/** The only implementation of {@linkcode LimitedListener}. */
export class LimitedSourceListener<C extends ConnLike, A> extends SourceListener<C, A>
  implements LimitedListener<C, A> {
  readonly limiter: Limiter;

  constructor(source: ConnSource<C, A>, limiter: Limiter, signal: AbortSignal | undefined) {
    super(source);
    this.limiter = limiter;
    // Removed again by the listener's own end, since the signal may well outlive it.
    signal?.addEventListener("abort", () => this.close(), { signal: source.closed });
    if (signal?.aborted) this.close();
  }

  get acceptErrors(): number {
    return this.source.acceptErrors;
  }

  async shutdown(options: ShutdownOptions = {}): Promise<number> {
    checkRecord("options", options);
    checkKnown("shutdown option", options, ["timeout"]);
    const { timeout = 10_000 } = options;
    checkTimeout("timeout", timeout);
    this.close();
    // An accept that had succeeded when the listener was closed still yields its connection.
    await turn();
    const { ties } = this.source;
    if (!ties.empty) await emptyWithin(ties, timeout);
    return ties.closeAll();
  }
}

async function emptyWithin(ties: OpenTies, timeout: number): Promise<void> {
  const emptied = new AbortController();
  const waits = [ties.idle()];
  if (timeout !== Infinity) waits.push(setTimeout(timeout, undefined, { signal: emptied.signal }).catch(() => {}));
  await Promise.race(waits);
  emptied.abort();
}
