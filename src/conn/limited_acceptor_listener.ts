/**
 * Listeners that have a limiter.
 *
 * @module
 */

import { type ErrorHook, hookFailed } from "../admission/hooks.ts";
import type { OpenConns } from "../admission/open_conn.ts";
import type { Admitter } from "../core/admitter.ts";
import { checkOptions, checkTimeout } from "../core/validate.ts";
import type { Acceptor } from "./acceptor.ts";
import { AcceptorListener } from "./acceptor_listener.ts";
import type { ConnLike } from "./limited_conn.ts";
import type { LimitedListener, LimitedListenerOptions, ShutdownOptions } from "./limited_listener.ts";
import { yieldToEventLoop } from "./yield_to_event_loop.ts";

/** The only implementation of {@linkcode LimitedListener}. */
export class LimitedAcceptorListener<C extends ConnLike, A, L extends Admitter> extends AcceptorListener<C, A>
  implements LimitedListener<C, A, L> {
  readonly limiter: L;
  readonly #onError: ErrorHook | undefined;

  constructor(acceptor: Acceptor<C, A>, limiter: L, { signal, onError }: LimitedListenerOptions<never> = {}) {
    super(acceptor);
    this.limiter = limiter;
    this.#onError = onError;
    // What a listener of the signal throws would end the process.
    const close = () => this.#attempt(() => this.close());
    // Removed again by the listener's own end, since the signal may well outlive it.
    signal?.addEventListener("abort", close, { signal: acceptor.closed });
    if (signal?.aborted) close();
  }

  get acceptErrors(): number {
    return this.acceptor.acceptErrors;
  }

  async shutdown(options: ShutdownOptions = {}): Promise<number> {
    checkOptions("options", "shutdown option", options, ["timeout"]);
    const { timeout = 10_000 } = options;
    checkTimeout("timeout", timeout);
    // Connections and listeners that are not the runtime's own may throw. The others are closed all the same.
    this.#attempt(() => this.close());
    // An accept that had succeeded when the listener was closed still yields its connection.
    await yieldToEventLoop();
    const { openConns, answering } = this.acceptor;
    if (openConns.size + answering.size > 0) await emptyWithin([openConns, answering], timeout);
    const conns = openConns.conns();
    for (const conn of [...conns, ...answering.conns()] as Disposable[]) {
      this.#attempt(() => conn[Symbol.dispose]());
    }
    for (const conn of openConns.conns()) this.acceptor.reset?.(conn);
    return conns.length;
  }

  /** Reports what is thrown. */
  #attempt(close: () => void): void {
    try {
      close();
    } catch (error) {
      hookFailed(this, this.#onError, error);
    }
  }
}

async function emptyWithin(lists: readonly OpenConns[], timeout: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    if (timeout !== Infinity) timer = setTimeout(resolve, timeout);
  });
  await Promise.race([Promise.all(lists.map((conns) => conns.idle())), late]);
  clearTimeout(timer);
}
