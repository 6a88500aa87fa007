/**
 * The limiter: admits and counts. It depends on no socket and no runtime.
 *
 * @module
 */

import { DrySlot, ExemptSlot } from "./apart_slots.ts";
import { applyPolicies } from "./apply_policies.ts";
import { clientName, customKey } from "./client_key.ts";
import { clientOf, findRule, isUnlimited, keyOf, namedNetwork, nameOf } from "./client_of.ts";
import { CountedSlot } from "./counted_slot.ts";
import { Counts } from "./counts.ts";
import { explain } from "./explain.ts";
import type { Explanation } from "./explanation.ts";
import { addHiddenMembers } from "./hidden_members.ts";
import { levelsOf } from "./levels_of.ts";
import type { ClientCount, LimiterStats } from "./limiter_stats.ts";
import { type CompiledLimits, compileLimits, type Limits, type LimitsOptions } from "./limits.ts";
import { identify, type Peer } from "./peer.ts";
import { Rates } from "./rates.ts";
import type { RefusalReason } from "./reasons.ts";
import { refusedError } from "./refused_error.ts";
import { rateRefusal, type Refusal, type Slot } from "./slot.ts";
import { statsOf } from "./stats_of.ts";
import { top } from "./top.ts";
import type { TopClients } from "./top_clients.ts";

/**
 * Limits the concurrent connections of each client.
 *
 * Each admitted connection holds a {@linkcode Slot} until it is closed. A connection that would exceed a limit is
 * refused. By default, a client is one IPv4 address or one IPv6 /64. `maxPerClient: Infinity` is no limit; `0` refuses
 * every client.
 *
 * Most servers only pass a limiter to `limitedListener()`, and call {@linkcode Limiter.setLimits} to change the limits
 * at run time. In your own accept loop, call {@linkcode Limiter.tryAccept} if refusals are routine, or
 * {@linkcode Limiter.accept} if a refusal should throw. Neither waits for room.
 *
 * One limiter can serve several listeners. It counts their connections together, within one process.
 *
 * @example Admit, refuse, free
 * ```ts
 * import { Limiter } from "@connlimit/connlimit";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const limiter = new Limiter({ maxPerClient: 1 });
 * {
 *   using slot = limiter.accept("192.0.2.7");
 *   assertEquals(slot.client, "192.0.2.7");
 *   assertThrows(() => limiter.accept("192.0.2.7"));
 *   assertEquals(limiter.open, 1);
 * }
 * assertEquals(limiter.open, 0);
 * ```
 */
export class Limiter {
  readonly #counts: Counts;
  #limits: CompiledLimits;
  /** Absent where no rate is set. */
  #rates: Rates | undefined;

  static {
    // A static block can reach private members, and what it defines stays out of the documentation.
    addHiddenMembers(this.prototype, (limiter) => ({
      counts: limiter.#counts,
      clientOf: (peer) => nameOf(peer, limiter.#limits),
      levelsOf: (peer) => levelsOf(peer, limiter.#limits, limiter.#counts, limiter.#rates),
      isUnlimited: (peer) => isUnlimited(peer, limiter.#limits),
    }));
  }

  /**
   * Creates a limiter. The default limit is 100 connections per client.
   *
   * @throws {TypeError} For an unknown option or a value of the wrong type.
   * @throws {RangeError} For a number out of range, an invalid network, or a duplicate network or aggregate.
   */
  constructor(options: LimitsOptions = {}) {
    this.#limits = compileLimits(options);
    this.#counts = new Counts(this.#limits.levels);
    this.#setRates();
  }

  /**
   * Admits a connection, or throws if it is refused.
   *
   * @param peer The connection, its socket, its address, or `{ key }`.
   * @returns The slot. Release it when the connection is closed.
   * @throws {LimitReachedError} If a limit is reached. Its `reason` names the limit.
   * @throws {RefusedError} If the client is blocked or has no usable address.
   */
  accept(peer: Peer): Slot {
    const admission = this.tryAccept(peer);
    if (admission.admitted) return admission;
    throw refusedError(admission.reason);
  }

  /**
   * Admits or refuses a connection; `admitted` distinguishes the results. A refusal never throws.
   *
   * If several limits are reached, the reason is the first of `"blocked"` or `"client"`, `"aggregate"`, `"total"`,
   * `"fair-share"`, `"rate"`. With `dryRun`, the result is a slot that has the refusal as `wouldRefuse`.
   *
   * @param peer The connection, its socket, its address, or `{ key }`.
   * @returns The slot, to release when the connection is closed, or the refusal.
   */
  tryAccept(peer: Peer): Slot | Refusal {
    let answer = this.#attempt(peer);
    if (typeof answer !== "string") return answer;
    const counts = this.#counts;
    // What has ended meanwhile makes no connection due.
    if (counts.sweeps.size > 0 && answer !== "rate" && counts.sweep(answer, () => nameOf(peer, this.#limits))) {
      answer = this.#attempt(peer);
    }
    if (typeof answer !== "string") return answer;
    if (this.#limits.limits.dryRun) return this.#admitDry(answer, peer);
    const refusal = counts.refuse(answer, peer);
    return answer === "rate" ? rateRefusal(this.#rates!.retryAfter) : refusal;
  }

  #attempt(peer: Peer): CountedSlot | RefusalReason {
    const identity = identify(peer);
    const counts = this.#counts;
    if (identity === undefined) {
      counts.asked = undefined;
      return "unknown-address";
    }
    const { limits, networks, policies } = this.#limits;
    const rule = findRule(identity, networks);
    const maxPerClient = rule === undefined ? limits.maxPerClient : rule.maxPerClient;
    const client = counts.asked = keyOf(identity, limits, rule);
    // All checks come before the first count, without an `await` in between, so no refusal leaves a partial count.
    const open = counts.openFor(client);
    if (open >= maxPerClient) return rule?.blocked ? "blocked" : "client";
    const aggregates = counts.aggregatesOf(client);
    let slot: CountedSlot;
    if (rule?.exempt !== undefined) {
      if (counts.openExempt(rule.network) >= rule.exempt) return "aggregate";
      slot = new ExemptSlot(client, counts, rule.network);
    } else {
      if (!counts.hasRoom(aggregates)) return "aggregate";
      if (counts.open >= limits.maxTotal) return "total";
      if (policies !== undefined) {
        const asked = { client, rule, open, aggregates };
        const reason = applyPolicies(policies, limits.maxTotal, counts, this.#rates, asked);
        if (reason !== undefined) return reason;
      }
      slot = new CountedSlot(client, counts);
    }
    counts.add(client, open, aggregates);
    counts.observer?.admitted(slot);
    return slot;
  }

  /** Admits what would be refused. A peer without an address counts against a client without a name. */
  #admitDry(reason: RefusalReason, peer: Peer): Slot {
    const counts = this.#counts;
    const slot = new DrySlot(clientOf(peer, this.#limits)?.key ?? customKey(""), counts, reason);
    counts.observer?.wouldRefuse?.(reason, peer, counts.asked);
    counts.observer?.admitted(slot);
    return slot;
  }

  /** The number of open connections of all clients together, without those that only a dry run has admitted. */
  get open(): number {
    return this.#counts.open;
  }

  /**
   * The number of open connections of a client, under the current prefixes. 0 if it has none or cannot be identified.
   *
   * @param peer Any peer of the client, or the client's name from {@linkcode Slot.client}, such as `2001:db8:0:1::/64`.
   * A client with a key is `{ key }`.
   */
  openFor(peer: Peer): number {
    const client = namedNetwork(peer) ?? clientOf(peer, this.#limits)?.key;
    return client === undefined ? 0 : this.#counts.openFor(client);
  }

  /**
   * Explains what {@linkcode Limiter.tryAccept} would answer now, and why: who the client is, how many connections are open
   * at each level, and what is their limit. The result is a plain object that JSON can carry. It changes and counts nothing.
   *
   * @param peer The connection, its socket, its address, or `{ key }`.
   */
  explain(peer: Peer): Explanation {
    return explain(peer, this.#limits, this.#counts, this.#rates);
  }

  /**
   * Returns the clients with most open connections, and those refused most lately, each with the highest number first. It
   * looks through all clients once, so call it for people, not for connections. `refused` is `null` unless
   * `watchRefusals()` watches the limiter.
   *
   * @param n The most clients of each, 0 to 1000.
   * @throws {TypeError} If `n` is not a number.
   * @throws {RangeError} If `n` is another number.
   */
  top(n = 10): TopClients {
    return top(n, this.#counts);
  }

  /** The current limits. Every option has a value. */
  get limits(): Limits {
    return this.#limits.limits;
  }

  /**
   * Replaces all limits, from the next connection on. An omitted option returns to its default. To change one limit:
   * `limiter.setLimits({ ...limiter.limits, maxPerClient: 20 })`. If it throws, the limits stay as they were.
   *
   * No connection is closed. A client above a lowered limit is refused until it is below. If the prefix lengths of
   * `aggregates` change, the limiter recounts the aggregates in one pass over its clients. If a client's prefix length
   * changes, its open connections keep counting under the client that they were admitted as. The call blocks for a few
   * microseconds for each rule in `networks`.
   *
   * @throws {TypeError} For an unknown option or a value of the wrong type.
   * @throws {RangeError} For a number out of range, an invalid network, or a duplicate network or aggregate.
   */
  setLimits(options: LimitsOptions): void {
    this.#limits = compileLimits(options);
    this.#counts.setLevels(this.#limits.levels);
    this.#setRates();
  }

  #setRates(): void {
    const maxTracked = this.#limits.policies?.maxTracked;
    if (!maxTracked) this.#rates = undefined;
    else (this.#rates ??= new Rates()).maxTracked = maxTracked;
  }

  /** Returns a snapshot of the limiter's counters. */
  stats(): LimiterStats {
    return statsOf(this.#counts);
  }

  /** Iterates over clients with open connections, in no particular order. Clients that connect meanwhile may appear. */
  *clients(): IterableIterator<ClientCount> {
    for (const [client, open] of this.#counts) yield { client: clientName(client), open };
  }

  /** Resolves when nothing is open, not even in a dry run: at once, or with the last release. For a graceful stop. */
  idle(): Promise<void> {
    return this.#counts.idle();
  }
}
