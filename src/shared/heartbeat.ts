/**
 * An instance's signs of life.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import type { Liveness } from "./liveness.ts";
import type { Questions } from "./questions.ts";
import type { LifeSign, RegisteredSign, SharedStore } from "./store.ts";
import type { StoreHealth } from "./store_health.ts";

/** What a heartbeat needs. */
export interface HeartbeatParts {
  readonly id: string;
  readonly store: SharedStore;
  readonly clock: Clock;
  readonly questions: Questions;
  readonly health: StoreHealth;
  readonly liveness: Liveness;
  readonly heartbeatMs: number;
  readonly deadMs: number;
  /** What to say besides. */
  readonly say: () => Pick<LifeSign, "floor" | "open">;
  /** Is called when the store may have lost what this instance has. */
  readonly lost: () => void;
  /** Is called after each sign of life that was acknowledged. */
  readonly acknowledged: () => void;
}

/** While the store is away, signs are sent so much more often. */
const HASTE = 3;

/** When somebody needs to know who is dead, signs are sent so much more often at most. */
const HURRY = 10;

/** Whoever was silent for this part of `deadMs` may have lost its place. */
const LOST = 0.9;

/** Sends signs of life, and watches those of the others. */
export class Heartbeat {
  readonly #parts: HeartbeatParts;
  #beat = 0;
  #birth: number | undefined;
  #sentAt = -Infinity;
  #ackedSentAt = -Infinity;
  #gone: readonly RegisteredSign[] = [];
  #busy = false;
  #missed = false;
  #stopped = false;
  #cancel: (() => void) | undefined;
  #over: (() => void) | undefined;

  constructor(parts: HeartbeatParts) {
    this.#parts = parts;
  }

  /** Sends a sign now, unless one is on its way. The next ones follow by themselves. */
  send(): void {
    if (this.#busy || this.#stopped) return;
    this.#busy = true;
    this.#cancel?.();
    const { id, store, clock, questions, say } = this.#parts;
    const sentAt = this.#sentAt = clock.now();
    const sign = { id, beat: ++this.#beat, ...say() };
    questions.ask(
      () => store.beat(sign, this.#gone),
      (signs) => this.#acknowledged(sign, signs, sentAt),
      (error) => this.#failed(error),
    );
  }

  /** Sends a sign now, or in a moment if there was one a moment ago. */
  hurry(): void {
    if (this.#busy || this.#stopped) return;
    const { clock, heartbeatMs } = this.#parts;
    const pause = this.#sentAt + heartbeatMs / HURRY - clock.now();
    if (pause <= 0) return this.send();
    this.#cancel?.();
    this.#cancel = clock.after(pause, () => this.send());
  }

  /** Sends no more. Resolves when none is on its way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    if (this.#busy) await new Promise<void>((resolve) => this.#over = resolve);
  }

  #acknowledged({ id, beat }: LifeSign, signs: readonly RegisteredSign[], sentAt: number): void {
    const { clock, deadMs, health, liveness, lost, acknowledged } = this.#parts;
    const own = signs.find((sign) => sign.id === id);
    if (own?.beat !== beat) throw new Error("the store's signs of life make no sense");
    const now = clock.now();
    const silent = now - this.#ackedSentAt;
    const isLost = this.#birth !== undefined && (silent > LOST * deadMs || own.birth !== this.#birth);
    this.#birth = own.birth;
    this.#ackedSentAt = sentAt;
    this.#missed = false;
    this.#gone = liveness.saw(signs, sentAt, now);
    this.#next();
    if (isLost) lost();
    health.acknowledged(sentAt);
    acknowledged();
  }

  /** One that is not answered may have been bad luck. */
  #failed(error: unknown): void {
    const again = !this.#missed;
    this.#missed = true;
    if (!again) {
      this.#parts.liveness.missed();
      this.#parts.health.missed(error);
    }
    this.#next(again);
  }

  #next(atOnce = false): void {
    this.#busy = false;
    this.#over?.();
    if (this.#stopped) return;
    const { clock, health, heartbeatMs, liveness } = this.#parts;
    const usual = health.status === "up" ? heartbeatMs : heartbeatMs / HASTE;
    // Whoever is about to be found dead is found dead then, and not a heartbeat later.
    const pause = atOnce ? 0 : Math.min(usual, Math.max(heartbeatMs / HURRY, liveness.untilDeath(clock.now())));
    this.#cancel = clock.after(pause, () => this.send());
  }
}
