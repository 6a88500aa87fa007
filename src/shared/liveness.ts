/**
 * Which instances of a shared limit are alive.
 *
 * @module
 */

import type { RegisteredSign, StoreEntry } from "./store.ts";

interface Known {
  sign: RegisteredSign | undefined;
  /** When a change was last seen. */
  changedAt: number;
  registered: boolean;
}

/** The most instances that are remembered, with those that are gone. */
const CAPACITY = 10_000;

/**
 * Watches the signs of life of all instances on this instance's own clock. One that has not changed for `deadMs`, while this
 * instance was able to see it, is dead. No clocks are compared, and a store that was away takes nobody for dead: whoever could
 * not see is patient from then on.
 */
export class Liveness {
  readonly #deadMs: number;
  readonly #forgetMs: number;
  readonly #known = new Map<string, Known>();
  #seenAt = 0;
  #blind = true;
  #live = 1;
  #open = 0;

  /** @param forgetMs How long an instance that is gone is remembered. */
  constructor(deadMs: number, forgetMs: number) {
    this.#deadMs = deadMs;
    this.#forgetMs = forgetMs;
  }

  /** How many instances are alive, at least 1. */
  get live(): number {
    return this.#live;
  }

  /** How many connections they have, as they last said. */
  get open(): number {
    return this.#open;
  }

  /** The signs could not be seen. */
  missed(): void {
    this.#blind = true;
  }

  /** The signs were seen, at some time from when they were asked for until now. Returns those of the dead. */
  saw(signs: readonly RegisteredSign[], askedAt: number, now: number): RegisteredSign[] {
    if (this.#blind) { for (const known of this.#known.values()) known.changedAt = now; }
    this.#blind = false;
    this.#seenAt = askedAt;
    for (const known of this.#known.values()) known.registered = false;
    const dead: RegisteredSign[] = [];
    this.#open = this.#live = 0;
    for (const sign of signs) {
      const known = this.#get(sign.id, now);
      if (known.sign?.beat !== sign.beat || known.sign.birth !== sign.birth) known.changedAt = now;
      known.sign = sign;
      known.registered = true;
      if (this.#isDead(known)) {
        dead.push(sign);
      } else {
        this.#live++;
        this.#open += sign.open;
      }
    }
    this.#live = Math.max(1, this.#live);
    for (const [id, { registered, changedAt }] of this.#known) {
      if (!registered && now - changedAt > this.#forgetMs) this.#known.delete(id);
    }
    return dead;
  }

  /** Whether an entry belongs to nobody: its instance is dead, or has left it behind. */
  isLeft({ id, seq }: StoreEntry, now: number): boolean {
    // One that has not been heard of may have started since the signs were last seen.
    const known = this.#get(id, now);
    return this.#isDead(known) || known.sign !== undefined && seq < known.sign.floor;
  }

  #isDead({ changedAt }: Known): boolean {
    return !this.#blind && this.#seenAt - changedAt >= this.#deadMs;
  }

  #get(id: string, now: number): Known {
    let known = this.#known.get(id);
    if (known === undefined) {
      if (this.#known.size >= CAPACITY) this.#known.delete(this.#known.keys().next().value!);
      this.#known.set(id, known = { sign: undefined, changedAt: now, registered: false });
    }
    return known;
  }
}
