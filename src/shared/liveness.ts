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
  /** The last request of which an entry was seen after the instance was found dead, and when that was. */
  accused: number;
  accusedAt: number;
  /** The instance was found dead again later. So it had been silent since before that request, or wrote it in vain. */
  proven: number;
}

/** The most instances that are remembered, with those that are gone. */
const CAPACITY = 10_000;

/**
 * Watches the signs of life of all instances on this instance's own clock. One that has not changed for `deadMs`, while this
 * instance was able to see it, is dead. What it has left is taken away only if it is found dead once more after that was seen:
 * otherwise it could have come back in between. No clocks are compared, and a store that was away takes nobody for dead:
 * whoever could not see is patient from then on.
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
    for (const [id, known] of this.#known) {
      if (!this.#isDead(known)) known.accused = known.proven = -1;
      else if (known.accusedAt <= askedAt) known.proven = known.accused;
      if (!known.registered && now - known.changedAt > this.#forgetMs) this.#known.delete(id);
    }
    return dead;
  }

  /** Milliseconds until somebody is dead, unless they say something by then. */
  untilDeath(now: number): number {
    let changedAt = Infinity;
    for (const known of this.#known.values()) {
      if (known.registered && !this.#isDead(known)) changedAt = Math.min(changedAt, known.changedAt);
    }
    return changedAt + this.#deadMs - now;
  }

  /**
   * Whether an entry belongs to nobody: its instance is dead, or has left it behind. Of an instance that is found dead for the first
   * time it is not known yet: see {@linkcode Liveness.saw}.
   */
  isLeft({ id, seq }: StoreEntry, now: number): boolean | "perhaps" {
    // One that has not been heard of may have started since the signs were last seen.
    const known = this.#get(id, now);
    if (known.sign !== undefined && seq < known.sign.floor) return true;
    if (!this.#isDead(known)) return false;
    if (seq <= known.proven) return true;
    if (seq > known.accused) [known.accused, known.accusedAt] = [seq, now];
    return "perhaps";
  }

  #isDead({ changedAt }: Known): boolean {
    return !this.#blind && this.#seenAt - changedAt >= this.#deadMs;
  }

  #get(id: string, now: number): Known {
    let known = this.#known.get(id);
    if (known === undefined) {
      if (this.#known.size >= CAPACITY) this.#known.delete(this.#known.keys().next().value!);
      known = { sign: undefined, changedAt: now, registered: false, accused: -1, accusedAt: 0, proven: -1 };
      this.#known.set(id, known);
    }
    return known;
  }
}
