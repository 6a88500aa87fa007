/**
 * The accept loop over a Deno listener.
 *
 * Deno's own iterator ends with the first accept that fails, which any client can bring about by a reset. This loop is
 * built on `accept()` and ends only when the listener is closed.
 *
 * @module
 */

import { setTimeout } from "node:timers/promises";
import { callHook, type RefusalHooks } from "../admission/hooks.ts";
import { OpenConns } from "../admission/open_conns.ts";
import { type Acceptor, yieldToEventLoop } from "../conn/acceptor.ts";
import type { ListenerLike } from "../conn/acceptor_listener.ts";
import { busy } from "../conn/deno_errors.ts";
import type { ConnLike, LimitedConn } from "../conn/limited_conn.ts";
import { muteRejections } from "../conn/mute_rejections.ts";
import type { Limiter } from "../core/limiter.ts";
import type { Refusal, Slot } from "../core/slot.ts";
import { bindSlot } from "./bind_slot.ts";
import { classifyAcceptError } from "./classify_accept_error.ts";

/** The first and the longest wait, in milliseconds, while the process is out of file descriptors. */
const MIN_BACKOFF_MS = 5;
const MAX_BACKOFF_MS = 200;

/**
 * While connections queue up, accepts are ready at once and the event loop would not come round to the open ones for 50
 * ms and more. With a turn after each refusal and after every so many admissions, those wait 2 and 4 ms at the 99th
 * percentile, under a thousand connections in flight (`bench/tcp_latency.ts`). With one admission a turn, a server whose
 * turns are long would take in new clients half as fast.
 */
const ADMISSIONS_PER_TURN = 2;

/** The admitted connections of a Deno listener. */
export class DenoAcceptor<C extends ConnLike, A> implements Acceptor<C, A> {
  readonly openConns: OpenConns = new OpenConns();
  readonly #listener: ListenerLike<C, A>;
  readonly #limiter: Limiter;
  readonly #hooks: RefusalHooks<C>;
  readonly #closed = new AbortController();
  #acceptErrors = 0;
  /** What the listener's last accept rejected with. */
  #end: unknown;
  #wait = MIN_BACKOFF_MS;
  #accepting = false;
  #admissions = 0;
  #yieldDue = false;
  #exhaustionPrinted = false;

  constructor(listener: ListenerLike<C, A>, limiter: Limiter, hooks: RefusalHooks<C>) {
    this.#listener = listener;
    this.#limiter = limiter;
    this.#hooks = hooks;
  }

  get addr(): A {
    return this.#listener.addr;
  }

  get acceptErrors(): number {
    return this.#acceptErrors;
  }

  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  closedError(): unknown {
    return this.#end;
  }

  /** One `async` function between the listener and a `for await`, as many as Deno's own iterator has. */
  async next(): Promise<IteratorResult<LimitedConn<C>, undefined>> {
    // Not left to the listener underneath, which is not accepting while this waits for a turn of the event loop.
    if (this.#accepting) throw busy();
    this.#accepting = true;
    try {
      for (;;) {
        if (this.#yieldDue) {
          this.#yieldDue = false;
          await yieldToEventLoop();
        }
        let conn: C;
        try {
          conn = await this.#listener.accept();
        } catch (error) {
          if (await this.#survive(error)) continue;
          return { done: true, value: undefined };
        }
        this.#wait = MIN_BACKOFF_MS;
        const admission = this.#limiter.tryAccept(conn);
        if (admission.admitted) return { done: false, value: this.#admit(conn, admission) };
        this.#refuse(conn, admission);
      }
    } finally {
      this.#accepting = false;
    }
  }

  #admit(conn: C, slot: Slot): LimitedConn<C> {
    if (++this.#admissions % ADMISSIONS_PER_TURN === 0) this.#yieldDue = true;
    try {
      return bindSlot(conn, slot, this.openConns);
    } catch (error) {
      try {
        conn[Symbol.dispose]();
      } finally {
        slot.release();
      }
      throw error;
    }
  }

  #refuse(conn: C, refusal: Refusal): void {
    this.#yieldDue = true;
    const { onRefused, onError } = this.#hooks;
    if (onRefused !== undefined) {
      muteRejections(conn);
      callHook(onRefused, onError, refusal, conn);
    }
    conn[Symbol.dispose]();
  }

  /** Whether to go on after a failed accept, waiting where that is called for. */
  async #survive(error: unknown): Promise<boolean> {
    const failure = classifyAcceptError(error);
    if (failure === "busy") throw error;
    if (failure === "closed") {
      this.#end = error;
      this.close();
      return false;
    }
    this.#acceptErrors++;
    callHook(this.#hooks.onError, undefined, error);
    if (failure === "connection") {
      this.#yieldDue = true;
      return true;
    }
    if (this.#hooks.onError === undefined && !this.#exhaustionPrinted) {
      this.#exhaustionPrinted = true;
      console.error(
        "connlimit: cannot accept, trying again until it works (printed once; set onError to see all):",
        error,
      );
    }
    // Ends early, by rejecting, when the listener is closed.
    await setTimeout(this.#wait, undefined, { signal: this.#closed.signal }).catch(() => {});
    this.#wait = Math.min(this.#wait * 2, MAX_BACKOFF_MS);
    return true;
  }

  close(): void {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    try {
      this.#listener.close();
    } catch (error) {
      // Somebody closed the listener underneath.
      if (classifyAcceptError(error) !== "closed") throw error;
    }
  }

  ref(): void {
    this.#listener.ref();
  }

  unref(): void {
    this.#listener.unref();
  }
}
