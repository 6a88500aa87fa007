/**
 * The books: how many connections are open for each client and each aggregate. They decide nothing.
 *
 * A count is a number in a map under its client's key, and which aggregates a client belongs to follows from the key
 * alone. So an open connection costs its client's entry and its slot, and no object in between.
 *
 * @module
 */

import { cidrOf, type ClientKey, prefixKey } from "./client_key.ts";
import { Latch } from "./latch.ts";
import type { LimiterObserver } from "./observer.ts";
import type { Peer } from "./peer.ts";
import { byReason, type RefusalReason } from "./reasons.ts";
import { type Refusal, REFUSALS } from "./slot.ts";

/** A limit on the aggregates of one prefix length. */
export interface AggregateLimit {
  readonly prefix: number;
  readonly max: number;
}

/** The levels at which connections are counted besides their client, for each address family. */
export interface AggregateLimits {
  readonly ipv4: readonly AggregateLimit[];
  readonly ipv6: readonly AggregateLimit[];
}

/** An aggregate's key, and how many connections it has room for. */
export interface Aggregate {
  readonly key: ClientKey;
  readonly max: number;
}

/**
 * Counts by client and by aggregate. A client's entry goes with its last connection, except that of the client that left
 * last.
 */
export class Counts {
  /** Open connections in all. */
  open = 0;
  /** The most that were ever open at once. */
  peak = 0;
  /** Connections that wait for a decision. */
  pending = 0;
  /** Connections ever admitted. */
  admitted = 0;
  /** Connections ever refused, by reason. */
  readonly refusedBy: Record<RefusalReason, number> = byReason(() => 0);
  /** Is called for each admission, refusal and release; absent where nobody watches. */
  observer: LimiterObserver | undefined = undefined;
  readonly #clients = new Map<ClientKey, number>();
  readonly #aggregates = new Map<ClientKey, number>();
  readonly #idle = new Latch();
  /**
   * The client that left last: its entry is still there, with nothing open, and goes when the next one leaves. A client
   * whose connections come one after the other would otherwise empty the map each time, whose table V8 then replaces.
   */
  #left: ClientKey | undefined;
  #levels: AggregateLimits;

  constructor(levels: AggregateLimits) {
    this.#levels = levels;
  }

  /** How many clients have open connections. */
  get clients(): number {
    return this.#clients.size - (this.#left === undefined ? 0 : 1);
  }

  /** The clients with open connections, each with how many. */
  *[Symbol.iterator](): IterableIterator<[ClientKey, number]> {
    for (const entry of this.#clients) if (entry[1] > 0) yield entry;
  }

  /** How many connections a client has open. */
  openFor(client: ClientKey): number {
    return this.#clients.get(client) ?? 0;
  }

  /** The aggregates that a client belongs to. */
  aggregatesOf(client: ClientKey): readonly Aggregate[] {
    return aggregatesOf(client, this.#levels);
  }

  /** Whether every one of some aggregates has room for one connection. */
  hasRoom(aggregates: readonly Aggregate[]): boolean {
    for (const { key, max } of aggregates) {
      if ((this.#aggregates.get(key) ?? 0) >= max) return false;
    }
    return true;
  }

  /** Counts one connection more for a client that has `open` of them, and for the aggregates around it. */
  add(client: ClientKey, open: number, aggregates: readonly Aggregate[]): void {
    this.#clients.set(client, open + 1);
    if (open === 0 && client === this.#left) this.#left = undefined;
    this.#addTo(aggregates, 1);
    this.admitted++;
    if (++this.open > this.peak) this.peak = this.open;
  }

  /** Counts one connection less. */
  subtract(client: ClientKey): void {
    const open = this.#clients.get(client)! - 1;
    this.#clients.set(client, open);
    if (open === 0) this.#leave(client);
    this.#addTo(this.aggregatesOf(client), -1);
    if (--this.open === 0) this.#idle.open();
  }

  /** Counts a refusal. Its peer is absent where no limiter was asked. */
  refuse(reason: RefusalReason, peer?: Peer): Refusal {
    this.refusedBy[reason]++;
    this.observer?.refused(reason, peer);
    return REFUSALS[reason];
  }

  #leave(client: ClientKey): void {
    if (this.#left !== undefined) this.#clients.delete(this.#left);
    this.#left = client;
  }

  /** Changes the levels. With other prefixes, what is open is counted anew, at the cost of a look at every client. */
  setLevels(levels: AggregateLimits): void {
    const before = this.#levels;
    this.#levels = levels;
    if (samePrefixes(before.ipv4, levels.ipv4) && samePrefixes(before.ipv6, levels.ipv6)) return;
    this.#aggregates.clear();
    for (const [client, open] of this) this.#addTo(this.aggregatesOf(client), open);
  }

  /** Resolves when nothing is open. */
  idle(): Promise<void> {
    return this.open === 0 ? Promise.resolve() : this.#idle.wait();
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

function aggregatesOf(client: ClientKey, { ipv4, ipv6 }: AggregateLimits): readonly Aggregate[] {
  if (ipv4.length === 0 && ipv6.length === 0) return NONE;
  const network = cidrOf(client);
  if (network === undefined) return NONE;
  const { address, prefix } = network;
  const aggregates: Aggregate[] = [];
  for (const level of typeof address === "number" ? ipv4 : ipv6) {
    // A client admitted under a prefix shorter than a level's cannot be placed within that level.
    if (level.prefix <= prefix) aggregates.push({ key: prefixKey(address, level.prefix), max: level.max });
  }
  return aggregates;
}

function samePrefixes(some: readonly AggregateLimit[], others: readonly AggregateLimit[]): boolean {
  return some.length === others.length && some.every(({ prefix }, at) => prefix === others[at]!.prefix);
}
