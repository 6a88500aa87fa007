/**
 * What decides on connections.
 *
 * @module
 */

import type { Limiter } from "./limiter.ts";
import type { Peer } from "./peer.ts";
import type { Admission } from "./slot.ts";

/** A value or a promise of it. */
export type Awaitable<T> = T | PromiseLike<T>;

/**
 * Decides on connections, and can be given wherever a {@linkcode Limiter} can. A `Limiter` decides at once. A class of your
 * own may decide later, such as after a query.
 *
 * While a decision takes time, its connection is pending: it has a descriptor, and nothing is read from it. At most 1,000
 * connections of a listener, server or handler are pending, each for 5 seconds at most; others are refused as `"pending"` and
 * `"timeout"`. Connections are served in the order in which they are admitted. What takes no time is decided at once.
 *
 * @example A limiter that asks a table of accounts, and counts by a limiter of its own
 * ```ts
 * import { type Admission, type Admitter, Limiter, type Peer } from "@connlimit/connlimit";
 * import { assertEquals } from "@std/assert";
 *
 * class Members implements Admitter {
 *   readonly local = new Limiter({ maxPerClient: 2 });
 *   readonly #isMember: (client: string) => Promise<boolean>;
 *
 *   constructor(isMember: (client: string) => Promise<boolean>) {
 *     this.#isMember = isMember;
 *   }
 *
 *   async tryAccept(peer: Peer): Promise<Admission> {
 *     const slot = this.local.tryAccept(peer); // first, so that one client asks no more than it may have open
 *     if (!slot.admitted || await this.#isMember(slot.client)) return slot;
 *     slot.release();
 *     return { admitted: false, reason: "blocked", [Symbol.dispose]() {} };
 *   }
 * }
 *
 * const members = new Members((client) => Promise.resolve(client === "192.0.2.7"));
 * using admission = await members.tryAccept("192.0.2.7");
 * assertEquals([admission.admitted, members.local.open], [true, 1]);
 * assertEquals((await members.tryAccept("192.0.2.8")).admitted, false);
 * ```
 */
export interface Admitter {
  /**
   * Admits or refuses a connection, at once or later. Read what you need of `peer` before you wait: a connection that ends
   * meanwhile may lose its address. The slot of a connection that has ended or timed out meanwhile is released.
   *
   * If it throws, rejects or answers with anything else, the connection is refused as `"unavailable"`, and `onError` is told.
   */
  tryAccept(peer: Peer): Awaitable<Admission>;
  /**
   * The limiter that counts here. Its `stats()` then have the pending connections, and the refusals that are not this
   * limiter's own. It names clients, so that a connection that is passed on is not asked for again; the slots must have the
   * same names. Without it, nothing has these counts, and a connection that is passed on is asked for each time.
   *
   * It must not limit the same connections by itself as well: they would be counted twice.
   */
  readonly local?: Limiter;
}

/** What is inferred as the limiter where limits are given and none. */
export interface GivenLimits extends Admitter {
  /** No limiter has it. */
  readonly givenLimits?: never;
}

/** The limiter of what is given a limiter or limits: that limiter, or a {@linkcode Limiter} for the limits. */
export type LimiterOf<L extends GivenLimits> = "givenLimits" extends keyof L ? Limiter : L;
