/**
 * Counters of open connections, by client and by aggregate. No policy.
 *
 * A counter is a number in a map, under a client's key. The key alone determines the client's aggregates. An open
 * connection therefore costs its slot and its client's entry, and no object in between.
 *
 * @module
 */

import { cidrOf, type ClientKey, prefixKey } from "./client_key.ts";
import { Latch } from "./latch.ts";
import type { TimeoutKind } from "./limiter_stats.ts";
import type { LimiterObserver } from "./observer.ts";
import type { Peer } from "./peer.ts";
import type { CompiledRate } from "./rate.ts";
import { byReason, type RefusalReason } from "./reasons.ts";
import { type Refusal, REFUSALS } from "./slot.ts";
import type { RefusalRanking } from "./top_clients.ts";

/** The limit of each aggregate with a given prefix length. */
export interface AggregateLimit {
  readonly prefix: number;
  readonly max: number;
  readonly rate?: CompiledRate | undefined;
}

/** The aggregate limits of each address family. */
export interface AggregateLimits {
  readonly ipv4: readonly AggregateLimit[];
  readonly ipv6: readonly AggregateLimit[];
}

/**
 * Releases the slots of connections that have ended unnoticed, for runtimes that do not report every end. Called before
 * each refusal, with its reason and a function that names the client; so it bounds its own work.
 */
export type Sweep = (reason: RefusalReason, client: () => string) => unknown;

/** An aggregate, and its limits. */
export interface Aggregate {
  readonly key: ClientKey;
  readonly max: number;
  readonly rate?: CompiledRate | undefined;
}

/**
 * Counts open connections by client and by aggregate. A client's entry is removed with its last connection; `#left` is
 * the one exception.
 */
export class Counts {
  /** Open connections of all clients together. */
  open = 0;
  /** The highest value of {@linkcode Counts.open} so far. */
  peak = 0;
  /** Connections that only a dry run has admitted, and that are open. They are in no other count of open ones. */
  apart = 0;
  /** Connections that wait for a decision. */
  pending = 0;
  /** Connections ever admitted. */
  admitted = 0;
  /** Connections ever refused, by reason. */
  readonly refusedBy: Record<RefusalReason, number> = byReason(() => 0);
  /** Connections ever closed at a deadline, by its kind. */
  readonly timedOut: Record<TimeoutKind, number> = { firstByte: 0, idle: 0, maxAge: 0 };
  /** Connections that only a dry run has ever admitted, by the reason for which they would have been refused. */
  readonly wouldRefuse: Record<RefusalReason, number> = byReason(() => 0);
  /** Connections ever closed in favour of others. */
  evicted = 0;
  /** Called when a slot is released or the limits change: there may be room. Absent if nothing waits for that. */
  room: (() => void) | undefined = undefined;
  /** The observer of admissions, refusals and releases. Absent if there is none. */
  observer: LimiterObserver | undefined = undefined;
  /** What ranks the clients refused most. Absent while nothing watches. */
  ranking: RefusalRanking | undefined = undefined;
  /** The client that the limiter was asked for last, so that nobody has to work out the client of a refusal again. */
  asked: ClientKey | undefined = undefined;
  /** What releases the slots of connections that have ended unnoticed. */
  readonly sweeps: Set<Sweep> = new Set();
  readonly #clients = new Map<ClientKey, number>();
  readonly #aggregates = new Map<ClientKey, number>();
  /** Open connections of exempt networks. */
  readonly #exempt = new Map<ClientKey, number>();
  readonly #idle = new Latch();
  /**
   * The last client to close its last connection. Its entry stays in the map, with a count of 0, until the next client
   * leaves. Otherwise a lone client that reconnects would empty the map each time, and V8 would reallocate its table.
   */
  #left: ClientKey | undefined;
  #levels: AggregateLimits;

  constructor(levels: AggregateLimits) {
    this.#levels = levels;
  }

  /** The number of clients with open connections. */
  get clients(): number {
    return this.#clients.size - (this.#left === undefined ? 0 : 1);
  }

  /** Iterates over the clients with open connections, and their counts. */
  *[Symbol.iterator](): IterableIterator<[ClientKey, number]> {
    for (const entry of this.#clients) if (entry[1] > 0) yield entry;
  }

  /** The number of open connections of a client. */
  openFor(client: ClientKey): number {
    return this.#clients.get(client) ?? 0;
  }

  /** The number of open connections in an aggregate. */
  openIn(aggregate: ClientKey): number {
    return this.#aggregates.get(aggregate) ?? 0;
  }

  /** The aggregates that a client belongs to. */
  aggregatesOf(client: ClientKey): readonly Aggregate[] {
    const { ipv4, ipv6 } = this.#levels;
    if (ipv4.length === 0 && ipv6.length === 0) return NONE;
    const network = cidrOf(client);
    if (network === undefined) return NONE;
    const { address, prefix } = network;
    const aggregates: Aggregate[] = [];
    for (const level of typeof address === "number" ? ipv4 : ipv6) {
      // A client admitted under a shorter prefix spans several aggregates of this level, and counts in none of them.
      if (level.prefix <= prefix) {
        aggregates.push({ key: prefixKey(address, level.prefix), max: level.max, rate: level.rate });
      }
    }
    return aggregates;
  }

  /** Whether each of the aggregates has room for one more connection. */
  hasRoom(aggregates: readonly Aggregate[]): boolean {
    for (const { key, max } of aggregates) {
      if (this.openIn(key) >= max) return false;
    }
    return true;
  }

  /** Counts one more connection for a client and its aggregates. `open` is the client's count so far. */
  add(client: ClientKey, open: number, aggregates: readonly Aggregate[]): void {
    this.#clients.set(client, open + 1);
    if (open === 0 && client === this.#left) this.#left = undefined;
    this.#addTo(aggregates, 1);
    this.admitted++;
    if (++this.open > this.peak) this.peak = this.open;
  }

  /** Counts one connection less for a client and its aggregates. */
  subtract(client: ClientKey): void {
    const open = this.#clients.get(client)! - 1;
    this.#clients.set(client, open);
    if (open === 0) this.#leave(client);
    this.#addTo(this.aggregatesOf(client), -1);
    if (--this.open + this.apart === 0) this.#idle.open();
    this.room?.();
  }

  /** The number of open connections of an exempt network. */
  openExempt(network: ClientKey): number {
    return this.#exempt.get(network) ?? 0;
  }

  /** Counts connections of an exempt network, which count as any others as well. */
  addExempt(network: ClientKey, connections: 1 | -1): void {
    addTo(this.#exempt, network, connections);
  }

  /** Counts a connection that only a dry run admits. */
  addApart(reason: RefusalReason): void {
    this.apart++;
    this.wouldRefuse[reason]++;
  }

  /** Counts the end of a connection that only a dry run admitted. */
  subtractApart(): void {
    if (--this.apart + this.open === 0) this.#idle.open();
  }

  /** Called before a refusal. Returns whether a slot was released, so that it is worth trying once more. */
  sweep(reason: RefusalReason, client: () => string): boolean {
    const { open } = this;
    for (const sweep of this.sweeps) sweep(reason, client);
    return this.open < open;
  }

  /** Counts a refusal. Its peer is absent where no limiter was asked. */
  refuse(reason: RefusalReason, peer?: Peer): Refusal {
    this.refusedBy[reason]++;
    this.observer?.refused(reason, peer, peer === undefined ? peer : this.asked);
    return REFUSALS[reason];
  }

  #leave(client: ClientKey): void {
    if (this.#left !== undefined) this.#clients.delete(this.#left);
    this.#left = client;
  }

  /** Replaces the aggregate limits. If a prefix length changes, one pass over the clients recounts the aggregates. */
  setLevels(levels: AggregateLimits): void {
    const before = this.#levels;
    this.#levels = levels;
    this.room?.();
    if (samePrefixes(before.ipv4, levels.ipv4) && samePrefixes(before.ipv6, levels.ipv6)) return;
    this.#aggregates.clear();
    for (const [client, open] of this) this.#addTo(this.aggregatesOf(client), open);
  }

  /** Resolves when no connection is open. */
  idle(): Promise<void> {
    return this.open + this.apart === 0 ? Promise.resolve() : this.#idle.wait();
  }

  #addTo(aggregates: readonly Aggregate[], connections: number): void {
    for (const { key } of aggregates) addTo(this.#aggregates, key, connections);
  }
}

function addTo(counts: Map<ClientKey, number>, key: ClientKey, connections: number): void {
  const open = (counts.get(key) ?? 0) + connections;
  if (open === 0) counts.delete(key);
  else counts.set(key, open);
}

const NONE: readonly Aggregate[] = [];

function samePrefixes(some: readonly AggregateLimit[], others: readonly AggregateLimit[]): boolean {
  return some.length === others.length && some.every(({ prefix }, at) => prefix === others[at]!.prefix);
}
