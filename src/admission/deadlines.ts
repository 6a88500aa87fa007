/**
 * Deadlines of connections: when the client must have said something, how long nothing may happen, and how long it may all
 * take.
 *
 * @module
 */

import { internalsOf } from "../core/internals.ts";
import type { TimeoutKind } from "../core/limiter_stats.ts";
import type { Clock } from "./clock.ts";
import { type DeadlineOptions, TIMEOUTS } from "./deadline_options.ts";
import { callHook, type ErrorHook, hookFailed } from "./hooks.ts";
import { Ticks } from "./ticks.ts";
import { grown, REACH, TimingWheel } from "./timing_wheel.ts";

/**
 * Whose matter a connection is at the moment: `"ours"`; `"busy"` with something that no deadline cuts, and then ours again;
 * or `"theirs"`, until {@linkcode Deadlines.restart}.
 */
export type Charge = "ours" | "busy" | "theirs";

/**
 * What an adapter does at deadlines, and what it knows of connections: by these methods, which are called no earlier than they
 * have to be, or by {@linkcode Deadlines.touch}.
 */
export interface Watch<C> {
  /** Whose matter a connection is. If absent, always ours. */
  chargeOf?(conn: C): Charge;
  /** Whether the client has sent a byte. */
  hasSpoken?(conn: C): boolean;
  /** A number that is another one, modulo 2^32, when bytes have been read, or written and taken. */
  activityOf?(conn: C): number;
  /** Prepares a connection for `onTimeout`. If absent, it is itself the hook's argument. */
  present?(conn: C): unknown;
  /** Closes a connection. */
  close(conn: C, kind: TimeoutKind): void;
}

/** The deadlines that checked options ask for, and the hooks. */
export type Deadline = DeadlineOptions<never> & { readonly onError?: ErrorHook };

/** The milliseconds between two looks at a connection that may be idle: the last one may be as much too late. */
function gapOf(idle: number): number {
  return Math.max(idle / 12, Math.min(idle / 5, 800));
}

/** The first number of an entry of the wheel. */
const FIRST = REACH;

/**
 * The deadlines of the connections of one listener or server. There is one timer for all, and only while there are any. A
 * connection is looked at when it may be due; where its activity has to be asked for, five to twelve times in `idleTimeout`.
 * It has at most 29 bytes here.
 */
export class Deadlines<C> {
  readonly #watch: Watch<C>;
  readonly #options: Deadline;
  readonly #limiter: object;
  readonly #ticks: Ticks;
  /** In ticks. */
  readonly #first: number;
  readonly #idle: number;
  readonly #age: number;
  /** The ticks between two looks at a connection whose activity is asked for. */
  readonly #gap: number;
  readonly #wheel = new TimingWheel();
  readonly #conns: (C | undefined)[] = [];
  /** By entry, the ticks of its accept and of its last activity, and whether the client has spoken. */
  #born: Int32Array = new Int32Array(64);
  #active: Int32Array = new Int32Array(64);
  #spoken: Uint8Array = new Uint8Array(64);
  /** By entry, the last number for its activity. Empty where nobody asks for one. */
  #seen: Int32Array;
  #size = 0;

  /** The deadlines that checked options ask for, if they ask for any. */
  static of<C>(options: Deadline, limiter: object, watch: Watch<C>, clock?: Clock): Deadlines<C> | undefined {
    const { firstByteTimeout = Infinity, idleTimeout = Infinity, maxAge = Infinity } = options;
    const shortest = Math.min(firstByteTimeout, idleTimeout, maxAge);
    return shortest === Infinity ? undefined : new Deadlines(options, limiter, watch, shortest, clock);
  }

  private constructor(options: Deadline, limiter: object, watch: Watch<C>, shortest: number, clock?: Clock) {
    this.#watch = watch;
    this.#options = options;
    this.#limiter = limiter;
    const ticks = this.#ticks = new Ticks(shortest, () => this.#tick(), clock);
    this.#first = ticks.within(options.firstByteTimeout);
    this.#idle = ticks.within(options.idleTimeout);
    this.#age = ticks.within(options.maxAge);
    const asked = watch.activityOf !== undefined && this.#idle !== Infinity;
    this.#gap = asked ? ticks.in(gapOf(options.idleTimeout!)) : Infinity;
    this.#seen = new Int32Array(asked ? 64 : 0);
  }

  /** The number of connections. */
  get size(): number {
    return this.#size;
  }

  /** The connections at this moment. */
  conns(): C[] {
    return this.#conns.filter((conn) => conn !== undefined);
  }

  /**
   * Begins with a connection. Returns the number by which it is known here.
   *
   * @param waited The milliseconds since its accept.
   */
  add(conn: C, waited: number = 0): number {
    if (this.#size++ === 0) this.#ticks.start();
    const at = this.#wheel.take() - FIRST;
    this.#conns[at] = conn;
    if (at >= this.#born.length) {
      this.#born = grown(this.#born);
      this.#active = grown(this.#active);
      if (this.#gap !== Infinity) this.#seen = grown(this.#seen);
      this.#spoken = grown(this.#spoken);
    }
    this.restart(at, waited);
    return at;
  }

  /** Begins anew with a connection. */
  restart(at: number, waited: number = 0): void {
    const entry = at + FIRST;
    const age = this.#ticks.in(waited);
    this.#wheel.remove(entry);
    this.#active[at] = this.#ticks.now;
    this.#born[at] = this.#ticks.now - age;
    this.#spoken[at] = 0;
    if (this.#gap !== Infinity) this.#seen[at] = this.#watch.activityOf!(this.#conns[at]!);
    this.#wheel.insert(entry, Math.min(this.#first - age, this.#age - age, this.#idle, this.#gap));
  }

  /** Notes that bytes have been read or written. */
  touch(at: number, read: boolean): void {
    this.#active[at] = this.#ticks.now;
    if (read) this.#spoken[at] = 1;
  }

  /** Ends with a connection, which must be known here. */
  delete(at: number): void {
    this.#conns[at] = undefined;
    this.#wheel.giveBack(at + FIRST);
    if (--this.#size === 0) this.#ticks.stop();
  }

  #tick(): void {
    this.#wheel.tick(this.#look);
  }

  readonly #look = (entry: number): void => {
    const at = entry - FIRST;
    const conn = this.#conns[at]!;
    const watch = this.#watch;
    const { now } = this.#ticks;
    const age = now - this.#born[at]! | 0;
    const charge = watch.chargeOf?.(conn) ?? "ours";
    let next = this.#gap;
    if (this.#first !== Infinity && this.#spoken[at] === 0 && !watch.hasSpoken?.(conn)) {
      if (age >= this.#first) return this.#cut(at, "firstByte");
      next = Math.min(next, this.#first - age);
    } else if (charge === "theirs") {
      return;
    }
    if (charge !== "theirs") {
      if (age >= this.#age) return this.#cut(at, "maxAge");
      next = Math.min(next, this.#age - age);
      if (this.#idle !== Infinity) {
        if (charge === "busy" || this.#hasMoved(at, conn)) this.#active[at] = now;
        const quiet = now - this.#active[at]! | 0;
        if (quiet >= this.#idle) return this.#cut(at, "idle");
        next = Math.min(next, this.#idle - quiet);
      }
    }
    this.#wheel.insert(entry, next);
  };

  /** Asks for the activity of a connection, and whether there was any since the last time. */
  #hasMoved(at: number, conn: C): boolean {
    if (this.#gap === Infinity) return false;
    const seen = this.#watch.activityOf!(conn) | 0;
    const moved = seen !== this.#seen[at];
    this.#seen[at] = seen;
    return moved;
  }

  #cut(at: number, kind: TimeoutKind): void {
    const conn = this.#conns[at]!;
    const watch = this.#watch;
    const { onTimeout, onError } = this.#options;
    const counts = internalsOf(this.#limiter)?.counts;
    if (counts !== undefined) counts.timedOut[kind]++;
    if (onTimeout !== undefined) {
      callHook(onTimeout, onError, TIMEOUTS[kind], (watch.present === undefined ? conn : watch.present(conn)) as never);
      // The hook may have closed it.
      if (this.#conns[at] !== conn) return;
    }
    try {
      watch.close(conn, kind);
    } catch (error) {
      hookFailed(this, onError, error);
    }
  }
}
