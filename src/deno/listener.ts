/**
 * The accept loop over a Deno listener.
 *
 * Deno's own iterator ends with the first accept that fails, which any client can bring about by a reset. This loop is
 * built on `accept()` and ends only when the listener is closed.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { setTimeout } from "node:timers/promises";
import { callHook } from "../hooks.ts";
import type { Limiter } from "../limiter.ts";
import type { LimitedListener, ListenerLike, ListenerOptions, ShutdownOptions } from "../listener.ts";
import { checkKnown, checkRecord, checkTimeout } from "../options.ts";
import type { Refusal, Slot } from "../slot.ts";
import { classify } from "./accept_error.ts";
import { type ConnLike, type LimitedConn, tie } from "./conn.ts";
import { OpenTies } from "./tie.ts";

/** The first and the longest wait, in milliseconds, while the process is out of file descriptors. */
const FIRST_WAIT = 5;
const LONGEST_WAIT = 200;

/**
 * While connections queue up, accepts are ready at once and the event loop would not come round to the open ones for 50
 * ms and more. With a turn after each refusal and after every so many admissions, those wait 2 and 10 ms at the 99th
 * percentile, under a thousand connections in flight (`bench/tcp_latency.ts`).
 */
const ADMISSIONS_PER_TURN = 8;

/** Resolves in the next turn of the event loop, in which other sockets have their say. */
function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** {@linkcode LimitedListener} for Deno. */
export class DenoLimitedListener<C extends ConnLike, A> implements LimitedListener<C, A> {
  readonly limiter: Limiter;
  readonly #listener: ListenerLike<C, A>;
  readonly #onRefused: ListenerOptions<C>["onRefused"];
  readonly #onError: ListenerOptions<C>["onError"];
  readonly #closed = new AbortController();
  readonly #open = new OpenTies();
  #acceptErrors = 0;
  /** What the listener's last accept rejected with. */
  #end: unknown;
  #wait = FIRST_WAIT;
  #accepting = false;
  #admissions = 0;
  #turnDue = false;
  #exhaustionPrinted = false;

  constructor(listener: ListenerLike<C, A>, limiter: Limiter, { onRefused, onError, signal }: ListenerOptions<C>) {
    this.limiter = limiter;
    this.#listener = listener;
    this.#onRefused = onRefused;
    this.#onError = onError;
    // Removed again by the listener's own end, since the signal may well outlive it.
    signal?.addEventListener("abort", () => this.close(), { signal: this.#closed.signal });
    if (signal?.aborted) this.close();
  }

  get addr(): A {
    return this.#listener.addr;
  }

  get acceptErrors(): number {
    return this.#acceptErrors;
  }

  async accept(): Promise<LimitedConn<C>> {
    const { done, value } = await this.#next();
    if (done) throw this.#end;
    return value;
  }

  /** One `async` function between the listener and a `for await`, as many as Deno's own iterator has. */
  async #next(): Promise<IteratorResult<LimitedConn<C>, undefined>> {
    // Not left to the listener underneath, which is not accepting while this waits for a turn of the event loop.
    if (this.#accepting) throw new Deno.errors.Busy("Another accept task is ongoing");
    this.#accepting = true;
    try {
      for (;;) {
        if (this.#turnDue) {
          this.#turnDue = false;
          await turn();
        }
        let conn: C;
        try {
          conn = await this.#listener.accept();
        } catch (error) {
          if (await this.#survive(error)) continue;
          return { done: true, value: undefined };
        }
        this.#wait = FIRST_WAIT;
        const admission = this.limiter.tryAccept(conn);
        if (admission.admitted) return { done: false, value: this.#admit(conn, admission) };
        this.#refuse(conn, admission);
      }
    } finally {
      this.#accepting = false;
    }
  }

  #admit(conn: C, slot: Slot): LimitedConn<C> {
    if (++this.#admissions % ADMISSIONS_PER_TURN === 0) this.#turnDue = true;
    try {
      return tie(conn, slot, this.#open);
    } catch (error) {
      conn[Symbol.dispose]();
      slot.release();
      throw error;
    }
  }

  #refuse(conn: C, refusal: Refusal): void {
    this.#turnDue = true;
    conn[Symbol.dispose]();
    callHook(this.#onRefused, this.#onError, refusal, conn);
  }

  /** Whether to go on after a failed accept, waiting where that is called for. */
  async #survive(error: unknown): Promise<boolean> {
    const failure = classify(error);
    if (failure === "busy") throw error;
    if (failure === "closed") {
      this.#end = error;
      this.close();
      return false;
    }
    this.#acceptErrors++;
    callHook(this.#onError, undefined, error);
    if (failure === "connection") {
      this.#turnDue = true;
      return true;
    }
    if (this.#onError === undefined && !this.#exhaustionPrinted) {
      this.#exhaustionPrinted = true;
      console.error(
        "connlimit: cannot accept, trying again until it works (printed once; set onError to see all):",
        error,
      );
    }
    // Ends early, by rejecting, when the listener is closed.
    await setTimeout(this.#wait, undefined, { signal: this.#closed.signal }).catch(() => {});
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
    return true;
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<LimitedConn<C>> {
    const iterator: AsyncIterableIterator<LimitedConn<C>> = {
      next: () => this.#next(),
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
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    try {
      this.#listener.close();
    } catch (error) {
      // Somebody closed the listener underneath.
      if (classify(error) !== "closed") throw error;
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async shutdown(options: ShutdownOptions = {}): Promise<number> {
    checkRecord("options", options);
    checkKnown("shutdown option", options, ["timeout"]);
    const { timeout = 10_000 } = options;
    checkTimeout("timeout", timeout);
    this.close();
    // An accept that had succeeded when the listener was closed still yields its connection.
    await turn();
    if (!this.#open.empty) await this.#emptyWithin(timeout);
    return this.#open.closeAll();
  }

  async #emptyWithin(timeout: number): Promise<void> {
    const emptied = new AbortController();
    const waits = [this.#open.idle()];
    if (timeout !== Infinity) waits.push(setTimeout(timeout, undefined, { signal: emptied.signal }).catch(() => {}));
    await Promise.race(waits);
    emptied.abort();
  }

  ref(): void {
    this.#listener.ref();
  }

  unref(): void {
    this.#listener.unref();
  }
}
