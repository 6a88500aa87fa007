/**
 * Deadlines of connections: when the client must have said something, how long nothing may happen, and how long it may all
 * take.
 *
 * @module
 */

import { setImmediate, setInterval } from "node:timers";
import { internalsOf } from "../core/internals.ts";
import type { TimeoutKind } from "../core/limiter_stats.ts";
import { checkHook, checkTimeout } from "../core/validate.ts";
import { callHook, type ErrorHook, hookFailed } from "./hooks.ts";
import { grown, REACH, TimingWheel } from "./timing_wheel.ts";

/**
 * How long connections may be silent, idle and open. A connection is closed at its deadline or up to a tenth of the time
 * later, never earlier.
 *
 * @typeParam C The connections.
 */
export interface DeadlineOptions<C> {
  /**
   * Milliseconds from the admission to the client's first byte: 0 to 2,147,483,647, or `Infinity`. Over TLS, to the first
   * byte after the handshake, which is within the time.
   *
   * @default {Infinity}
   */
  readonly firstByteTimeout?: number;
  /**
   * Milliseconds in which a byte is read or written: 0 to 2,147,483,647, or `Infinity`. What the client does not take is not
   * written.
   *
   * @default {Infinity}
   */
  readonly idleTimeout?: number;
  /**
   * Milliseconds that a connection may be open: 0 to 2,147,483,647, or `Infinity`.
   *
   * @default {Infinity}
   */
  readonly maxAge?: number;
  /**
   * Called for each connection that has met a deadline, right before it is closed. Its result is ignored. What it throws or
   * rejects with goes to `onError`.
   */
  readonly onTimeout?: (timeout: TimeoutKind, conn: C) => unknown;
}

/** The names of the options. */
export const DEADLINES: readonly string[] = ["firstByteTimeout", "idleTimeout", "maxAge", "onTimeout"];

/**
 * Checks the values of deadlines.
 *
 * @throws {TypeError} For a value of the wrong type.
 * @throws {RangeError} For a number out of its range.
 */
export function checkDeadlines(options: DeadlineOptions<never>): void {
  const { firstByteTimeout = Infinity, idleTimeout = Infinity, maxAge = Infinity, onTimeout } = options;
  checkTimeout("firstByteTimeout", firstByteTimeout);
  checkTimeout("idleTimeout", idleTimeout);
  checkTimeout("maxAge", maxAge);
  checkHook("onTimeout", onTimeout);
}

/**
 * Whose matter a connection is at the moment: `"ours"`; `"busy"` with something that no deadline cuts, and then ours again;
 * or `"theirs"`, until {@linkcode Deadlines.restart}.
 */
export type Charge = "ours" | "busy" | "theirs";

/** What an adapter knows of connections, and asks no earlier than it has to. */
export interface Watch<C> {
  /** Whose matter it is. */
  chargeOf(conn: C): Charge;
  /** Whether its client has sent a byte. */
  hasSpoken(conn: C): boolean;
  /** A number that is another one, modulo 2^32, when bytes have been read, or written and taken. */
  activityOf(conn: C): number;
  /** Closes it. */
  close(conn: C, timeout: TimeoutKind): void;
}

/** The time, and a timer that does not keep the process running. */
export interface Clock {
  now(): number;
  /** Returns what stops it. */
  every(milliseconds: number, run: () => void): () => void;
}

const CLOCK: Clock = {
  now: () => performance.now(),
  every(milliseconds, run) {
    const timer = setInterval(run, milliseconds);
    timer.unref();
    return () => clearInterval(timer);
  },
};

/** The longest tick, in milliseconds. It is shorter where a deadline is: a 32nd of it. */
const LONGEST_TICK = 500;

/** The first number of an entry of the wheel. */
const FIRST = REACH;

/** The number of ticks after which a look waits for what the event loop has not read yet. */
const LATE = 4;

/**
 * The deadlines of the connections of one listener or server. There is one timer for all, and only while there are any. A
 * connection is looked at when it may be due, and while it is active ten times in `idleTimeout`. Its bytes cost nothing, and
 * it has 28 bytes here.
 */
export class Deadlines<C> {
  readonly #watch: Watch<C>;
  readonly #options: DeadlineOptions<C> & { readonly onError?: ErrorHook };
  readonly #limiter: object;
  readonly #clock: Clock;
  readonly #tick: number;
  /** In ticks. */
  readonly #first: number;
  readonly #idle: number;
  readonly #age: number;
  readonly #gap: number;
  readonly #wheel = new TimingWheel();
  readonly #conns: (C | undefined)[] = [];
  /** By entry, the ticks of its admission and of its last activity that was seen, and its activity then. */
  #born: Int32Array = new Int32Array(64);
  #active: Int32Array = new Int32Array(64);
  #seen: Int32Array = new Int32Array(64);
  #size = 0;
  #now = 0;
  #start = 0;
  #stop: (() => void) | undefined;
  #waits = false;

  /** The deadlines that checked options ask for, if they ask for any. */
  static of<C>(
    options: DeadlineOptions<C> & { readonly onError?: ErrorHook },
    limiter: object,
    watch: Watch<C>,
    clock?: Clock,
  ): Deadlines<C> | undefined {
    const { firstByteTimeout = Infinity, idleTimeout = Infinity, maxAge = Infinity } = options;
    const shortest = Math.min(firstByteTimeout, idleTimeout, maxAge);
    return shortest === Infinity ? undefined : new Deadlines(options, limiter, watch, shortest, clock);
  }

  private constructor(
    options: DeadlineOptions<C> & { readonly onError?: ErrorHook },
    limiter: object,
    watch: Watch<C>,
    shortest: number,
    clock: Clock = CLOCK,
  ) {
    this.#watch = watch;
    this.#options = options;
    this.#limiter = limiter;
    this.#clock = clock;
    const tick = this.#tick = Math.max(1, Math.min(LONGEST_TICK, shortest / 32));
    // A connection may be admitted at the end of a tick, and none is closed too early.
    const ticks = (milliseconds = Infinity) => Math.ceil(milliseconds / tick) + 1;
    this.#first = ticks(options.firstByteTimeout);
    this.#idle = ticks(options.idleTimeout);
    this.#age = ticks(options.maxAge);
    this.#gap = Math.max(1, Math.floor(this.#idle / 10) - 2);
  }

  /** The number of connections. */
  get size(): number {
    return this.#size;
  }

  /** Begins with a connection. Returns the number by which it is known here. */
  add(conn: C): number {
    if (this.#size++ === 0) this.#begin();
    const entry = this.#wheel.take();
    const at = entry - FIRST;
    this.#conns[at] = conn;
    if (at >= this.#born.length) {
      this.#born = grown(this.#born);
      this.#active = grown(this.#active);
      this.#seen = grown(this.#seen);
    }
    this.restart(at);
    return at;
  }

  /** Begins anew with a connection. */
  restart(at: number): void {
    const entry = at + FIRST;
    this.#wheel.remove(entry);
    this.#born[at] = this.#active[at] = this.#now;
    if (this.#idle !== Infinity) this.#seen[at] = this.#watch.activityOf(this.#conns[at]!);
    this.#wheel.insert(entry, Math.min(this.#first, this.#idle === Infinity ? Infinity : this.#gap, this.#age));
  }

  /** Ends with a connection, which must be known here. */
  delete(at: number): void {
    this.#conns[at] = undefined;
    this.#wheel.giveBack(at + FIRST);
    if (--this.#size === 0) this.#end();
  }

  #begin(): void {
    const { now, every } = this.#clock;
    this.#start = now() - this.#now * this.#tick;
    this.#stop = every(this.#tick, () => {
      const due = this.#due();
      if (this.#waits) return;
      if (due - this.#now < LATE) return this.#run(due);
      // The process was busy, and what clients have sent meanwhile has not been read.
      this.#waits = true;
      setImmediate(() => {
        this.#waits = false;
        if (this.#stop !== undefined) this.#run(this.#due());
      });
    });
  }

  #end(): void {
    this.#stop!();
    this.#stop = undefined;
  }

  #due(): number {
    return Math.floor((this.#clock.now() - this.#start) / this.#tick);
  }

  #run(due: number): void {
    while (this.#now < due && this.#size > 0) {
      this.#now++;
      this.#wheel.tick(this.#look);
    }
    if (this.#now < due) this.#now = due;
  }

  readonly #look = (entry: number): void => {
    const at = entry - FIRST;
    const conn = this.#conns[at]!;
    const watch = this.#watch;
    const age = this.#now - this.#born[at]! | 0;
    const charge = watch.chargeOf(conn);
    let next = Infinity;
    if (this.#first !== Infinity && !watch.hasSpoken(conn)) {
      if (age >= this.#first) return this.#cut(at, "firstByte");
      next = this.#first - age;
    } else if (charge === "theirs") {
      return;
    }
    if (charge !== "theirs" && this.#age !== Infinity) {
      if (age >= this.#age) return this.#cut(at, "maxAge");
      next = Math.min(next, this.#age - age);
    }
    if (charge !== "theirs" && this.#idle !== Infinity) {
      const seen = watch.activityOf(conn) | 0;
      if (seen !== this.#seen[at] || charge === "busy") {
        this.#seen[at] = seen;
        this.#active[at] = this.#now;
        next = Math.min(next, this.#gap);
      } else {
        const quiet = this.#now - this.#active[at]! | 0;
        if (quiet >= this.#idle) return this.#cut(at, "idle");
        next = Math.min(next, this.#idle - quiet);
      }
    }
    this.#wheel.insert(entry, next);
  };

  #cut(at: number, timeout: TimeoutKind): void {
    const conn = this.#conns[at]!;
    const { onTimeout, onError } = this.#options;
    const counts = internalsOf(this.#limiter)?.counts;
    if (counts !== undefined) counts.timedOut[timeout]++;
    callHook(onTimeout, onError, timeout, conn);
    // The hook may have closed it.
    if (this.#conns[at] !== conn) return;
    try {
      this.#watch.close(conn, timeout);
    } catch (error) {
      hookFailed(this, onError, error);
    }
  }
}
