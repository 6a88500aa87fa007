/**
 * The limiter: admits, counts, frees. It knows no socket and no runtime.
 *
 * @module
 */

import { parseCidr } from "./cidr.ts";
import { type ClientKey, clientName, prefixKey, UNIX_CLIENT } from "./client_key.ts";
import { CountedSlot } from "./counted_slot.ts";
import { Counts } from "./counts.ts";
import { INTERNALS, type LimiterInternals } from "./internals.ts";
import { type CompiledLimits, compileLimits, type Limits, type LimitsOptions } from "./limits.ts";
import { identify, type Identity, type Peer } from "./peer.ts";
import type { MatchedRule, PrefixMap } from "./prefix_map.ts";
import type { RefusalReason } from "./reasons.ts";
import { refusedError } from "./refused_error.ts";
import type { Refusal, Slot } from "./slot.ts";

/** One client and how many connections it has open. */
export interface ClientCount {
  /** The client as {@linkcode Slot.client} names it. */
  readonly client: string;
  /** Its open connections, at least 1. */
  readonly open: number;
}

/** What a limiter has done so far. With `limitRequests()`, its connections are requests and WebSockets. */
export interface LimiterStats {
  /** Connections open now. */
  readonly open: number;
  /** Clients with open connections now. */
  readonly clients: number;
  /** The most connections that were ever open at once. */
  readonly peak: number;
  /** Connections that are accepted and wait for a decision. Always 0 where decisions take no time. */
  readonly pending: number;
  /** Connections admitted since the limiter was made. */
  readonly admitted: number;
  /** Connections refused since the limiter was made. */
  readonly refused: number;
  /** The refused ones by reason. */
  readonly refusedBy: Readonly<Record<RefusalReason, number>>;
}

/**
 * Bounds how many connections one client may hold open.
 *
 * Each admitted connection holds a {@linkcode Slot} until it is closed; a connection that finds no room is refused. A
 * client is one IPv4 address or one IPv6 /64, unless the limits say otherwise. With `maxPerClient: Infinity` clients are
 * only counted; with `0` everyone is refused.
 *
 * Most servers need none of the methods below but these two calls: `limitedListener(listener, limiter)` to admit and
 * {@linkcode Limiter.setLimits} to change the limits while running. In an accept loop of your own, take
 * {@linkcode Limiter.tryAccept} where a refusal is an everyday answer, and {@linkcode Limiter.accept} where it should
 * end the function by an exception. Neither waits: when there is no room they say so at once.
 *
 * One limiter may serve several listeners, whose connections it then counts together. It counts within one process.
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

  static {
    // Defined here and not declared: it has the private members at hand, and stays out of the documentation.
    Object.defineProperty(this.prototype, INTERNALS, {
      get(this: Limiter): LimiterInternals {
        return {
          counts: this.#counts,
          attempt: (peer) => this.#attempt(peer),
          nameOf: (peer) => {
            const client = this.#clientOf(peer);
            return client === undefined ? "" : clientName(client);
          },
        };
      },
    });
  }

  /**
   * Makes a limiter with the given limits, by default 100 connections for each client.
   *
   * @throws {TypeError} For an unknown option or a value of the wrong type.
   * @throws {RangeError} For a number out of its range, a network that is none or has bits set after its prefix, or what is
   * named twice.
   */
  constructor(options: LimitsOptions = {}) {
    this.#limits = compileLimits(options);
    this.#counts = new Counts(this.#limits.levels);
  }

  /**
   * Admits a connection or throws.
   *
   * @param peer Who connects: a connection, a socket, an address, or `{ key }`.
   * @returns The slot, to be freed when the connection is closed.
   * @throws {LimitReachedError} If a limit is reached; its `reason` says which.
   * @throws {RefusedError} If the client is blocked or has no usable address.
   */
  accept(peer: Peer): Slot {
    const admission = this.tryAccept(peer);
    if (admission.admitted) return admission;
    throw refusedError(admission.reason);
  }

  /**
   * Admits a connection or says why not; `admitted` tells the answers apart. A refusal is counted, costs no memory, and
   * leaves no trace of the client. Never throws for a refusal.
   *
   * Where several limits refuse, the reason is the first of `"blocked"` or `"client"`, `"aggregate"`, `"total"`.
   *
   * @param peer Who connects: a connection, a socket, an address, or `{ key }`.
   * @returns The slot, or why there is none.
   */
  tryAccept(peer: Peer): Slot | Refusal {
    const answer = this.#attempt(peer);
    return typeof answer === "string" ? this.#counts.refuse(answer, peer) : answer;
  }

  #attempt(peer: Peer): CountedSlot | RefusalReason {
    const identity = identify(peer);
    if (identity === undefined) return "unknown-address";

    const { limits, networks } = this.#limits;
    const rule = findRule(identity, networks);
    const maxPerClient = rule === undefined ? limits.maxPerClient : rule.maxPerClient;
    const client = keyOf(identity, limits, rule);
    const counts = this.#counts;
    // Everything is checked before anything is counted, and nothing awaits in between.
    const open = counts.openFor(client);
    if (open >= maxPerClient) return rule !== undefined && maxPerClient === 0 ? "blocked" : "client";
    const aggregates = counts.aggregatesOf(client);
    if (!counts.hasRoom(aggregates)) return "aggregate";
    if (counts.open >= limits.maxTotal) return "total";
    counts.add(client, open, aggregates);
    const slot = new CountedSlot(client, counts);
    counts.observer?.admitted(slot);
    return slot;
  }

  /** How many connections are open, for all clients together. */
  get open(): number {
    return this.#counts.open;
  }

  /**
   * How many connections one client has open, as the limits in force see clients; 0 for a client that has none, and for
   * what is no client.
   *
   * @param peer Any of the client's peers, or a client as {@linkcode Slot.client} names it, such as `2001:db8:0:1::/64`;
   * `{ key }` for one that has a key.
   */
  openFor(peer: Peer): number {
    const client = namedNetwork(peer) ?? this.#clientOf(peer);
    return client === undefined ? 0 : this.#counts.openFor(client);
  }

  #clientOf(peer: Peer): ClientKey | undefined {
    const identity = identify(peer);
    if (identity === undefined) return undefined;
    const { limits, networks } = this.#limits;
    return keyOf(identity, limits, findRule(identity, networks));
  }

  /** The limits in force, every option with its value. */
  get limits(): Limits {
    return this.#limits.limits;
  }

  /**
   * Replaces the limits as a whole, from the next connection on; what is left out is back at its default. To change one
   * of them: `limiter.setLimits({ ...limiter.limits, maxPerClient: 20 })`.
   *
   * Nobody is disconnected. A client above a lowered limit is refused until it is below. With other `aggregates`, open
   * connections are counted anew, which costs a look at every client. With other prefixes or narrower networks, open
   * connections stay counted under the client that they were admitted as, until they close. It takes a few microseconds for
   * each rule in `networks`, during which nothing else runs.
   *
   * @throws {TypeError} For an unknown option or a value of the wrong type. The limits are then as before.
   * @throws {RangeError} For a number out of its range, a network that is none or has bits set after its prefix, or what is
   * named twice. The limits are then as before.
   */
  setLimits(options: LimitsOptions): void {
    this.#limits = compileLimits(options);
    this.#counts.setLevels(this.#limits.levels);
  }

  /** What has happened so far: plain counters, read in one go. */
  stats(): LimiterStats {
    const { open, clients, peak, pending, admitted, refusedBy } = this.#counts;
    const refused = Object.values(refusedBy).reduce((sum, count) => sum + count, 0);
    return { open, clients, peak, pending, admitted, refused, refusedBy: { ...refusedBy } };
  }

  /**
   * The clients with open connections, in no order to rely on. It is read as the iteration goes: clients that come during
   * it are reached too.
   */
  *clients(): IterableIterator<ClientCount> {
    for (const [client, open] of this.#counts) yield { client: clientName(client), open };
  }

  /** Resolves when nothing is open: at once, or when the last slot is freed. Meant for a graceful stop. */
  idle(): Promise<void> {
    return this.#counts.idle();
  }
}

/**
 * The limiter that is meant where a limiter or the limits for one can be given. It is told by what it can do, since it may
 * come from another copy of this package.
 */
export function toLimiter(limits: Limiter | LimitsOptions): Limiter {
  const isLimiter = typeof (limits as Partial<Limiter> | null)?.tryAccept === "function";
  return isLimiter ? limits as Limiter : new Limiter(limits as LimitsOptions);
}

function findRule(identity: Identity, networks: PrefixMap | undefined): MatchedRule | undefined {
  return networks === undefined || typeof identity === "string" ? undefined : networks.find(identity);
}

function keyOf(identity: Identity, { ipv4Prefix, ipv6Prefix }: Limits, rule: MatchedRule | undefined): ClientKey {
  if (typeof identity === "string") return identity;
  const prefix = typeof identity === "number" ? ipv4Prefix : ipv6Prefix;
  return prefixKey(identity, rule === undefined ? prefix : Math.max(prefix, rule.prefix));
}

/** The client that is named like no peer: a network in CIDR notation, or all Unix sockets. */
function namedNetwork(name: Peer): ClientKey | undefined {
  if (name === "unix") return UNIX_CLIENT;
  if (typeof name !== "string" || !name.includes("/")) return undefined;
  const network = parseCidr(name);
  return network && prefixKey(network.address, network.prefix);
}
