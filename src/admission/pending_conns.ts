/**
 * Connections that are accepted and neither admitted nor refused yet.
 *
 * @module
 */

import { Latch } from "../core/latch.ts";
import type { Peer } from "../core/peer.ts";

/** Why a connection is no longer pending, without a decision. */
export type PendingEnd = "left" | "closed" | "timeout" | "failed";

/** The bounds of the pending stage. */
export interface PendingOptions {
  /** Connections that may be pending at once. */
  readonly max?: number;
  /** Milliseconds that a decision may take. */
  readonly timeout?: number;
}

/** A pending connection. */
export class PendingConn {
  /** Made where it is asked for, since it costs more than all else. */
  #abort: AbortController | undefined = undefined;
  #done = false;
  /** Resolves if the connection stops being pending without a decision, or when one has come. */
  readonly over: Promise<PendingEnd | undefined>;
  readonly deadline: number;
  readonly #since: number;
  /** The limiter's answer, once it has been asked. */
  asked: unknown = undefined;
  /** The peer that the limiter has been asked for, once it has. */
  peer: Peer | undefined;
  /** Why it has stopped being pending without a decision. */
  why: PendingEnd | undefined = undefined;
  #resolve!: (why: PendingEnd | undefined) => void;

  /** @param timeout The milliseconds until the deadline. */
  constructor(timeout: number, peer?: Peer) {
    this.#since = performance.now();
    this.deadline = this.#since + timeout;
    this.peer = peer;
    this.over = new Promise((resolve) => this.#resolve = resolve);
  }

  /** The milliseconds for which it has been pending. */
  get age(): number {
    return performance.now() - this.#since;
  }

  /** Aborted when the connection is no longer pending. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#done) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  /** Whether the connection is no longer pending. */
  get done(): boolean {
    return this.#done;
  }

  finish(): void {
    this.#done = true;
    this.#abort?.abort();
  }

  end(why: PendingEnd): void {
    this.#resolve(this.why = why);
  }

  /** A decision has come. */
  decided(): void {
    this.#resolve(undefined);
  }
}

/** The pending connections of one gate. They are bounded in number and time, because each has a descriptor and no slot. */
export class PendingConns {
  readonly #max: number;
  readonly #timeout: number;
  /** In order of arrival, which is the order of the deadlines. So one timer is enough. */
  readonly #conns = new Set<PendingConn>();
  /** Those without a deadline. */
  readonly #patient = new Set<PendingConn>();
  readonly #space = new Latch();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ max = 1_000, timeout = 5_000 }: PendingOptions = {}) {
    this.#max = max;
    this.#timeout = timeout;
  }

  get size(): number {
    return this.#conns.size + this.#patient.size;
  }

  get full(): boolean {
    return this.size >= this.#max;
  }

  /** Resolves when there is space for one more. */
  space(): Promise<void> {
    return this.full ? this.#space.wait() : Promise.resolve();
  }

  add(peer?: Peer): PendingConn {
    const conn = new PendingConn(this.#timeout, peer);
    this.#conns.add(conn);
    this.#schedule();
    return conn;
  }

  /** Takes the deadline from a connection, if it is pending. */
  lift(conn: PendingConn): void {
    if (this.#conns.delete(conn)) this.#patient.add(conn);
  }

  /** Takes a connection out. Returns whether it was pending. */
  delete(conn: PendingConn): boolean {
    if (!this.#conns.delete(conn) && !this.#patient.delete(conn)) return false;
    conn.finish();
    this.#space.open();
    if (this.size === 0) this.#cancel();
    return true;
  }

  /** Ends a connection's wait for a decision. */
  end(conn: PendingConn, why: PendingEnd): void {
    if (this.delete(conn)) conn.end(why);
  }

  /** Ends all of them. */
  endAll(why: PendingEnd): void {
    for (const conn of [...this.#conns, ...this.#patient]) this.end(conn, why);
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#timeout === Infinity) return;
    const [first] = this.#conns;
    if (first === undefined) return;
    this.#timer = setTimeout(() => this.#expire(), first.deadline - performance.now());
  }

  #expire(): void {
    this.#timer = undefined;
    // Timers may be early by less than a millisecond.
    const now = performance.now() + 1;
    for (const conn of this.#conns) {
      if (conn.deadline > now) break;
      this.end(conn, "timeout");
    }
    this.#schedule();
  }

  #cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
