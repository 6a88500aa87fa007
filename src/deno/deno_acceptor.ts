/**
 * The acceptor of a Deno listener, or of one in its shape.
 *
 * Deno's own iterator ends with the first accept that fails, which any client can cause by a reset. This one asks
 * `accept()`, one call at a time and only while somebody waits, and ends only when the listener is closed.
 *
 * @module
 */

import { setTimeout } from "node:timers/promises";
import { Gate } from "../admission/gate.ts";
import { callHook, hookFailed, type RefusalHooks } from "../admission/hooks.ts";
import { OpenConns } from "../admission/open_conn.ts";
import type { PendingStage } from "../admission/pending_stage.ts";
import type { Admitter, Port } from "../admission/port.ts";
import type { Acceptor } from "../conn/acceptor.ts";
import type { ListenerLike } from "../conn/acceptor_listener.ts";
import type { ConnLike, LimitedConn } from "../conn/limited_conn.ts";
import { muteRejections } from "../conn/mute_rejections.ts";
import { ReadyQueue } from "../conn/ready_queue.ts";
import { yieldToEventLoop } from "../conn/yield_to_event_loop.ts";
import type { Peer } from "../core/peer.ts";
import type { Slot } from "../core/slot.ts";
import { bindSlot } from "./bind_slot.ts";
import { classifyAcceptError } from "./classify_accept_error.ts";

/**
 * The first and the longest wait, in milliseconds, while the process is out of file descriptors. The first is short, since
 * a descriptor is often free soon; the longest bounds both the spinning and the delay once one is free.
 */
const MIN_BACKOFF_MS = 5;
const MAX_BACKOFF_MS = 200;

/**
 * While the backlog is not empty, every accept resolves at once, and open connections starve for 50 ms or more. A turn of
 * the event loop after each refusal and after every second admission keeps their 99th percentile at 2 and 4 ms, with a
 * thousand connections in flight (`deno task bench`). With one admission a turn, a server whose turns are long would accept
 * new clients half as fast.
 */
const ADMISSIONS_PER_TURN = 2;

/** Accepts and admits as connections are asked for: the others wait in the backlog. */
export class DenoAcceptor<C extends ConnLike, A> implements Acceptor<C, A>, Port<C, void> {
  acceptErrors = 0;
  readonly openConns: OpenConns = new OpenConns();
  readonly native: ListenerLike<C, A>;
  readonly #onError: RefusalHooks<C>["onError"];
  readonly #gate: Gate<C, void>;
  readonly #pending: PendingStage<C> | undefined;
  readonly #ready = new ReadyQueue<LimitedConn<C>>();
  readonly #end = new AbortController();
  readonly closed: AbortSignal = this.#end.signal;
  #backoff = MIN_BACKOFF_MS;
  #accepting = false;
  #admissions = 0;
  #yieldDue = false;
  #exhaustionPrinted = false;

  constructor(listener: ListenerLike<C, A>, limiter: Admitter, hooks: RefusalHooks<C>, pending?: PendingStage<C>) {
    this.native = listener;
    this.#onError = hooks.onError;
    this.#gate = new Gate(this, limiter, hooks, pending);
    this.#pending = pending;
  }

  get addr(): A {
    return this.native.addr;
  }

  next(): Promise<IteratorResult<LimitedConn<C>, undefined>> {
    const next = this.#ready.next();
    if (!this.#accepting) this.#acceptWanted();
    return next;
  }

  close(): void {
    if (this.closed.aborted) return;
    this.#end.abort();
    this.#pending?.close();
    for (const conn of this.#ready.clear()) this.drop(conn);
    try {
      this.native.close();
    } catch (error) {
      // The listener underneath has been closed by itself.
      if (classifyAcceptError(error) !== "closed") throw error;
    }
  }

  /** Accepts until nobody waits for a connection. */
  async #acceptWanted(): Promise<void> {
    this.#accepting = true;
    while (this.#ready.wanted) {
      if (this.#yieldDue) {
        this.#yieldDue = false;
        await yieldToEventLoop();
      }
      if (this.#pending?.full) await this.#pending.space();
      let conn: C;
      try {
        conn = await this.native.accept();
      } catch (error) {
        if (await this.#survives(error)) continue;
        break;
      }
      this.#backoff = MIN_BACKOFF_MS;
      // A connection that is pending costs the open ones as much as a refused one.
      if (this.#gate.offer(conn) !== undefined) this.#yieldDue = true;
    }
    this.#accepting = false;
  }

  /** Whether to go on after a failed accept, after a wait where one is due. */
  async #survives(error: unknown): Promise<boolean> {
    const kind = classifyAcceptError(error);
    if (kind === "busy") {
      this.#ready.fail(error);
      return false;
    }
    if (kind === "closed") {
      this.close();
      this.#ready.end();
      return false;
    }
    this.acceptErrors++;
    callHook(this.#onError, undefined, error);
    if (kind === "connection") {
      this.#yieldDue = true;
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
    await setTimeout(this.#backoff, undefined, { signal: this.closed }).catch(() => {});
    this.#backoff = Math.min(this.#backoff * 2, MAX_BACKOFF_MS);
    return true;
  }

  peerOf(conn: C): Peer {
    return conn;
  }

  admit(conn: C, slot: Slot): void {
    if (++this.#admissions % ADMISSIONS_PER_TURN === 0) this.#yieldDue = true;
    try {
      this.#ready.push(bindSlot(conn, slot, this.openConns));
    } catch (error) {
      try {
        conn[Symbol.dispose]();
      } finally {
        slot.release();
        this.#ready.fail(error);
      }
    }
  }

  present(conn: C): C {
    muteRejections(conn);
    return conn;
  }

  refuse(conn: C): void {
    this.#yieldDue = true;
    this.drop(conn);
  }

  /** Deno reports the end of a connection only to those who read it. */
  hold(): () => void {
    return () => {};
  }

  drop(conn: C): void {
    try {
      conn[Symbol.dispose]();
    } catch (error) {
      // A hook may have closed it, and a listener in Deno's shape may have connections that mind a second close.
      hookFailed(this, this.#onError, error);
    }
  }
}
