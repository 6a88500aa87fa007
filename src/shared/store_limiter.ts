/**
 * A limiter that shares its limits with others through a store.
 *
 * @module
 */

import { namedNetwork } from "../core/client_of.ts";
import type { AsyncDisposableLike } from "../core/disposable_like.ts";
import type { Limiter } from "../core/limiter.ts";
import type { ClientCount, LimiterStats } from "../core/limiter_stats.ts";
import type { Limits, LimitsOptions } from "../core/limits.ts";
import type { Peer } from "../core/peer.ts";
import { refusedError } from "../core/refused_error.ts";
import type { Admission, Slot } from "../core/slot.ts";
import { CLOCK } from "./clock.ts";
import { checkSharing, type SharingLimitOptions } from "./options.ts";
import { SharedAdmission } from "./shared_admission.ts";
import type { SharedExplanation } from "./shared_explanation.ts";
import type { SharedStore } from "./store.ts";
import type { StoreStatus } from "./store_health.ts";
import { storeKey } from "./store_key.ts";

/** The counters of a shared limiter. Those of {@linkcode LimiterStats} are of this instance. */
export interface SharedStats extends LimiterStats {
  /** Whether the store answers. */
  readonly status: StoreStatus;
  /** Instances that are alive, as far as this one has heard; itself among them. */
  readonly instances: number;
  /** Connections open at all instances, as they last said. At most two heartbeats old while the store is up. */
  readonly openEverywhere: number;
  /** Connections that wait for the store's answer now. Those that a listener holds meanwhile are also in `pending`. */
  readonly waiting: number;
  /** Questions to the store since the limiter was created. */
  readonly asked: number;
  /** Questions without an answer in time, or answered by an error. */
  readonly unanswered: number;
}

/**
 * A {@linkcode Limiter} whose limits hold for all instances together that share a store.
 */
export class StoreLimiter {
  /** The limiter that counts what is open here. Change its limits, observe it, but do not ask it to admit anything. */
  readonly local: Limiter;
  readonly #admission: SharedAdmission;

  /**
   * Creates a limiter. It sends a sign of life at once.
   *
   * @param limits The limits, as those of a {@linkcode Limiter}.
   * @param store The store, which only this instance uses.
   * @throws {TypeError} For an unknown option or a value of the wrong type.
   * @throws {RangeError} For a number out of its range.
   */
  constructor(limits: LimitsOptions, store: SharedStore, options: SharingLimitOptions = {}) {
    this.#admission = new SharedAdmission(limits, store, checkSharing(options), CLOCK, randomId());
    this.local = this.#admission.local;
  }

  /** Whether the store answers. */
  get status(): StoreStatus {
    return this.#admission.sharing.health.status;
  }

  /**
   * Admits a connection, or rejects if it is refused.
   *
   * @param peer The connection, its socket, its address, or `{ key }`.
   * @returns The slot. Release it when the connection is closed.
   * @throws {LimitReachedError} If a limit is reached. Its `reason` names the limit.
   * @throws {RefusedError} If the client is blocked or has no usable address, or the store is away and `onStoreDown` is
   * `"closed"`.
   */
  async accept(peer: Peer): Promise<Slot> {
    const admission = await this.tryAccept(peer);
    if (admission.admitted) return admission;
    throw refusedError(admission.reason);
  }

  /**
   * Admits or refuses a connection: at once if nobody needs to be asked, else when the store has answered. A refusal never
   * throws, and the promise never rejects.
   *
   * The local counts are asked first: what is refused here is never sent. If several limits are reached, the reason is the first
   * of `"blocked"` or `"client"`, `"aggregate"`, `"total"`.
   *
   * @param peer The connection, its socket, its address, or `{ key }`.
   * @returns The slot, to release when the connection is closed, or the refusal.
   */
  tryAccept(peer: Peer): Admission | Promise<Admission> {
    return this.#admission.tryAccept(peer);
  }

  /** The number of connections that are open here. */
  get open(): number {
    return this.local.open;
  }

  /** The number of connections of a client that are open here, as {@linkcode Limiter.openFor}. */
  openFor(peer: Peer): number {
    return this.local.openFor(peer);
  }

  /**
   * Asks the store how many connections a client has at all instances. It is `undefined` for a client without a limit, whom the
   * store does not count, and for a peer that cannot be identified.
   *
   * @throws {Error} If the store does not answer.
   */
  openEverywhere(peer: Peer): Promise<number | undefined> {
    const client = this.#admission.levelsOf(peer)[0];
    const key = namedNetwork(peer) ?? (client?.max === Infinity ? undefined : client?.key);
    if (key === undefined) return Promise.resolve(undefined);
    const { questions, store } = this.#admission.sharing;
    return new Promise((resolve, reject) => {
      questions.ask(() => store.total(storeKey("client", key)), resolve, reject);
    });
  }

  /**
   * Explains what {@linkcode StoreLimiter.tryAccept} would answer now, and why: who the client is, how many connections are open
   * at each level, here and everywhere, and what is their limit. It asks the store, unless that is known to be away, and changes and
   * counts nothing. It never rejects: where the store does not answer, it explains what `onStoreDown` decides.
   *
   * Connections of an instance that has died count until somebody needs their place.
   *
   * @param peer The connection, its socket, its address, or `{ key }`.
   */
  explain(peer: Peer): Promise<SharedExplanation> {
    return this.#admission.explain(peer);
  }

  /** The limits that this instance asks for. */
  get limits(): Limits {
    return this.local.limits;
  }

  /**
   * Replaces all limits of this instance, as {@linkcode Limiter.setLimits} does. The other instances keep theirs. Where limits
   * differ, a connection meets those of the instance it connects to, and all connections count, wherever they are open. So the
   * strictest limit is the first that is reached.
   *
   * @throws {TypeError} For an unknown option or a value of the wrong type.
   * @throws {RangeError} For a number out of range, an invalid network, or a duplicate network or aggregate.
   */
  setLimits(options: LimitsOptions): void {
    this.local.setLimits(options);
  }

  /** Returns a snapshot of this instance's counters, and what it last heard of the others. */
  stats(): SharedStats {
    const { liveness, questions } = this.#admission.sharing;
    return {
      ...this.local.stats(),
      status: this.status,
      instances: liveness.live,
      openEverywhere: liveness.open,
      waiting: this.#admission.waiting,
      asked: questions.asked,
      unanswered: questions.failed,
    };
  }

  /** Iterates over clients with connections that are open here. */
  clients(): IterableIterator<ClientCount> {
    return this.local.clients();
  }

  /** Resolves when no connection is open here. */
  idle(): Promise<void> {
    return this.local.idle();
  }

  /**
   * Says again what is open here. Call it when your client has reconnected to a store that may have lost what it knew, such as a
   * replica that has become the primary. It happens by itself every three minutes.
   */
  resync(): void {
    this.#admission.sharing.resync();
  }

  /**
   * Says that nothing is open here any more, and stops. From then on every connection is refused as `"unavailable"`. Connections
   * that are still open count no more. Never rejects; if the store does not answer, the others notice after `deadMs`.
   */
  close(): Promise<void> {
    return this.#admission.close();
  }

  // Not a method, whose declaration does not compile where the types lack this symbol.
  static {
    Object.defineProperty(this.prototype, Symbol.asyncDispose, {
      ...{ configurable: true, writable: true },
      value(this: StoreLimiter) {
        return this.close();
      },
    });
  }
}

/** `await using` closes it. */
export interface StoreLimiter extends AsyncDisposableLike {}

/** 48 random bits: among a thousand instances two are the same once in 600 million starts. */
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(6));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}
