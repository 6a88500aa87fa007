/**
 * Saying again what is open here.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import type { SharedKey } from "./shared_key.ts";

/** The pause between two portions, in milliseconds. */
const PAUSE_MS = 50;

/** The fewest keys of a portion. */
const PORTION = 200;

/**
 * Goes through all keys and lets each say again what is open here. This heals whatever a store has lost without anybody's notice,
 * and it keeps keys from expiring. It takes its time, since there may be a million.
 */
export class Republisher {
  /** All entries of this instance that count have a `seq` of at least this. */
  floor = 0;
  readonly #clock: Clock;
  readonly #keys: () => Iterator<SharedKey>;
  readonly #nextSeq: () => number;
  #running: Iterator<SharedKey> | undefined;
  #oldest = Infinity;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, keys: () => Iterator<SharedKey>, nextSeq: () => number) {
    this.#clock = clock;
    this.#keys = keys;
    this.#nextSeq = nextSeq;
  }

  /** Begins, or begins again, and is done with so many keys after so many milliseconds. */
  start(size: number, milliseconds: number): void {
    this.stop();
    this.#running = this.#keys();
    this.#oldest = this.#nextSeq();
    this.#go(Math.max(PORTION, Math.ceil(size * PAUSE_MS / milliseconds)));
  }

  /** Ends early. */
  stop(): void {
    this.#cancel?.();
    this.#running = undefined;
  }

  #go(portion: number): void {
    for (let i = 0; i < portion; i++) {
      const { done, value } = this.#running!.next();
      if (done) {
        this.floor = this.#oldest;
        return this.stop();
      }
      this.#oldest = Math.min(this.#oldest, value.oldest ?? Infinity);
      value.republish();
    }
    this.#cancel = this.#clock.after(PAUSE_MS, () => this.#go(portion));
  }
}
