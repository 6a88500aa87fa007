/**
 * `whenFull: "wait"`: connections and requests that wait until there is room.
 *
 * @module
 */

import { setInterval } from "node:timers";
import { INTERNALS, type LimiterInternals, ownInternals } from "../core/internals.ts";
import { Latch } from "../core/latch.ts";
import type { Limiter } from "../core/limiter.ts";
import type { Peer } from "../core/peer.ts";
import type { RefusalReason } from "../core/reasons.ts";
import type { Admission } from "../core/slot.ts";
import type { Admitter, Later } from "./port.ts";

/** A peer that waits for room. */
interface Waiter {
  readonly peer: Peer;
  /** The levels but the total. */
  readonly levels: readonly string[];
  answer(admission: Admission | PromiseLike<never>): void;
}

/**
 * The milliseconds between looks for slots of connections that have ended unnoticed, while somebody waits. Otherwise the
 * refusals would see to it.
 */
const SWEEP_MS = 100;

const waitingOf = new WeakMap<object, WaitingLimiter>();

/**
 * A limiter that answers later where it would refuse for `"total"`: in the order in which it was asked, by all its listeners
 * and handlers. Whom another limit refuses it refuses at once, where those who wait count as if they were open.
 */
export class WaitingLimiter implements Admitter {
  readonly #limiter: Limiter;
  readonly #internals: Required<LimiterInternals>;
  readonly #waiters = new Set<Waiter>();
  /** The number of those who wait, by level. */
  readonly #waiting = new Map<string, number>();
  readonly #room = new Latch();
  /** Whether an accept loop waits for room. */
  #held = false;
  #drains = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  static {
    Object.defineProperty(this.prototype, INTERNALS, {
      get(this: WaitingLimiter): LimiterInternals {
        return this.#internals;
      },
    });
  }

  /**
   * The waiting side of a limiter.
   *
   * @throws {TypeError} If it is not a `Limiter`.
   */
  static of(limiter: object): WaitingLimiter {
    const internals = ownInternals(limiter);
    if (internals?.levelsOf === undefined || !("limits" in limiter)) {
      throw new TypeError('whenFull must be "refuse" with a limiter that is not a Limiter, got "wait"');
    }
    let waiting = waitingOf.get(internals.counts);
    if (waiting === undefined) {
      waiting = new WaitingLimiter(limiter as Limiter, internals as Required<LimiterInternals>);
      waitingOf.set(internals.counts, waiting);
    }
    return waiting;
  }

  private constructor(limiter: Limiter, internals: Required<LimiterInternals>) {
    this.#limiter = limiter;
    this.#internals = internals;
    internals.counts.room = () => {
      if (this.#drains || !this.#isAwaited) return;
      // Not at once: whoever has released the slot may be in the middle of something.
      this.#drains = true;
      queueMicrotask(() => this.#drain());
    };
  }

  /**
   * Whether a connection would be refused for the total.
   *
   * @param coming Connections that are about to be open.
   */
  isFull(coming: number = 0): boolean {
    const { maxTotal, dryRun } = this.#limiter.limits;
    return this.#internals.counts.open + coming >= maxTotal && !dryRun;
  }

  tryAccept(peer: Peer): Admission | Later {
    if (this.#waiters.size === 0) {
      if (this.isFull()) this.#sweep(() => this.#internals.clientOf(peer));
      if (!this.isFull()) return this.#limiter.tryAccept(peer);
    }
    const levels = this.#levelsFor(peer);
    return Array.isArray(levels) ? this.#wait(peer, levels) : levels;
  }

  /** Resolves when there may be room. */
  room(): Promise<void> {
    this.#held = true;
    this.#watch();
    return this.#room.wait();
  }

  /** Resolves what waits for room. */
  wake(): void {
    this.#held = false;
    this.#room.open();
    this.#rest();
  }

  /** The levels at which a peer has room. If it lacks room at one, or needs none in the total: the limiter's answer. */
  #levelsFor(peer: Peer): string[] | Admission {
    const names: string[] = [];
    for (const { level, name, open, max } of this.#internals.levelsOf(peer) ?? []) {
      if (level === "total") {
        if (max !== Infinity) return names;
        break;
      }
      if (open >= max) break;
      const key = `${level} ${name}`;
      if (open + (this.#waiting.get(key) ?? 0) >= max) {
        return this.#internals.counts.refuse(level as RefusalReason, peer);
      }
      names.push(key);
    }
    return this.#limiter.tryAccept(peer);
  }

  #wait(peer: Peer, levels: readonly string[]): Later {
    let waiter: Waiter;
    const promise = new Promise<Admission>((answer) => {
      this.#waiters.add(waiter = { peer, levels, answer });
      this.#count(levels, 1);
      this.#watch();
    });
    return Object.assign(promise, {
      withdraw: () => {
        if (this.#leave(waiter)) this.#rest();
      },
    });
  }

  #leave(waiter: Waiter): boolean {
    if (!this.#waiters.delete(waiter)) return false;
    this.#count(waiter.levels, -1);
    return true;
  }

  #count(levels: readonly string[], more: 1 | -1): void {
    for (const level of levels) {
      const waiting = (this.#waiting.get(level) ?? 0) + more;
      if (waiting === 0) this.#waiting.delete(level);
      else this.#waiting.set(level, waiting);
    }
  }

  #drain(): void {
    this.#drains = false;
    for (const waiter of this.#waiters) {
      if (this.isFull()) break;
      this.#leave(waiter);
      try {
        waiter.answer(this.#limiter.tryAccept(waiter.peer));
      } catch (error) {
        // A peer that is the runtime's connection may be closed.
        waiter.answer(Promise.reject(error));
      }
    }
    if (!this.isFull()) this.wake();
    else this.#rest();
  }

  get #isAwaited(): boolean {
    return this.#held || this.#waiters.size > 0;
  }

  #sweep(client: () => string): void {
    const { counts } = this.#internals;
    if (counts.sweeps.size > 0) counts.sweep("total", client);
  }

  /** Where the ends of connections are not reported, nobody but refusals would look for them. */
  #watch(): void {
    if (this.#timer !== undefined || this.#internals.counts.sweeps.size === 0) return;
    this.#timer = setInterval(() => this.#sweep(() => ""), SWEEP_MS);
    this.#timer.unref();
  }

  #rest(): void {
    if (this.#isAwaited) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
