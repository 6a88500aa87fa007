/**
 * Leaving connections in the backlog while there is no room for them.
 *
 * @module
 */

import { setInterval } from "node:timers";
import type { WaitingLimiter } from "../admission/waiting_limiter.ts";
import type { Native } from "../conn/acceptor.ts";
import { MAX_TIMEOUT_MS } from "../core/validate.ts";

/** Holds the accepts of a listener back. */
export class BacklogHold implements Native {
  readonly #native: Native;
  readonly #limiter: WaitingLimiter;
  readonly #pending: { readonly size: number };
  readonly #closed: AbortSignal;
  /** Keeps the process running in place of an accept. */
  #alive: ReturnType<typeof setInterval> | undefined;
  #refs = true;

  /**
   * @param native The listener.
   * @param pending Its connections that have been accepted and will need room.
   * @param closed Aborted when the listener is closed.
   */
  constructor(native: Native, limiter: WaitingLimiter, pending: { readonly size: number }, closed: AbortSignal) {
    this.#native = native;
    this.#limiter = limiter;
    this.#pending = pending;
    this.#closed = closed;
    closed.addEventListener("abort", this.again);
  }

  /** Resolves when there is room for one more connection, or the listener is closed. */
  async end(): Promise<void> {
    if (!this.#holds) return;
    this.#alive = setInterval(() => {}, MAX_TIMEOUT_MS);
    if (!this.#refs) this.#alive.unref();
    while (this.#holds) await this.#limiter.room();
    clearInterval(this.#alive);
    this.#alive = undefined;
  }

  get #holds(): boolean {
    return !this.#closed.aborted && this.#limiter.isFull(this.#pending.size);
  }

  /** Looks again whether there is room. */
  readonly again = (): void => this.#limiter.wake();

  ref(): void {
    this.#refs = true;
    this.#alive?.ref();
    this.#native.ref();
  }

  unref(): void {
    this.#refs = false;
    this.#alive?.unref();
    this.#native.unref();
  }
}
