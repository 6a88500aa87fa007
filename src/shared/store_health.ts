/**
 * Whether the store of a shared limit answers.
 *
 * @module
 */

import type { Clock } from "./clock.ts";

/**
 * Whether the store of a shared limit answers:
 *
 * - `"starting"`: it has not been heard from yet;
 * - `"up"`: it answers, and the limit is exact;
 * - `"down"`: it does not answer, and `onStoreDown` decides;
 * - `"closed"`: the limiter is closed.
 */
export type StoreStatus = "starting" | "up" | "down" | "closed";

/** Questions in a row without an answer after which the store counts as away. */
const FAILURES = 3;

/** The part of `deadMs` after its last sign of life that an instance relies on what it has been granted. */
const TRUSTED = 0.8;

/**
 * The breaker: while the store is away it is asked nothing but whether it is there again.
 *
 * It also knows how long what the store has granted may be relied on. The others take the place of an instance that has been
 * silent for `deadMs`, and count from when they saw its last sign; this instance counts from when it sent it, and stops earlier.
 * So clocks need to go at the same rate, and nothing else.
 */
export class StoreHealth {
  #status: StoreStatus = "starting";
  #failures = 0;
  #trustedUntil = -Infinity;
  readonly #clock: Clock;
  readonly #deadMs: number;
  readonly #changed: (status: StoreStatus, cause: unknown) => void;

  /** @param changed Is told each change once. */
  constructor(clock: Clock, deadMs: number, changed: (status: StoreStatus, cause: unknown) => void) {
    this.#clock = clock;
    this.#deadMs = deadMs;
    this.#changed = changed;
  }

  get status(): StoreStatus {
    return this.#status;
  }

  /** Whether what the store has granted may still be relied on. */
  get trusted(): boolean {
    return this.#clock.now() < this.#trustedUntil;
  }

  /** Whether the store can be asked for room. */
  get asking(): boolean {
    return this.#status === "up" && this.trusted;
  }

  /** A question about a key was answered. */
  answered(): void {
    this.#failures = 0;
  }

  /** A question about a key was not answered. */
  failed(error: unknown): void {
    if (++this.#failures >= FAILURES) this.missed(error);
  }

  /** A sign of life was acknowledged, which was sent at a time. */
  acknowledged(sentAt: number): void {
    this.#trustedUntil = sentAt + TRUSTED * this.#deadMs;
    this.#failures = 0;
    this.#become("up", undefined);
  }

  /** A sign of life was not acknowledged. */
  missed(error: unknown): void {
    this.#become("down", error);
  }

  /** Nothing is asked any more. */
  close(): void {
    this.#become("closed", undefined);
  }

  #become(status: StoreStatus, cause: unknown): void {
    if (this.#status === status || this.#status === "closed") return;
    this.#status = status;
    this.#changed(status, cause);
  }
}
