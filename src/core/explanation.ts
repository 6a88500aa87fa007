/**
 * The result of `Limiter.explain()`.
 *
 * @module
 */

import type { RefusalReason } from "./reasons.ts";

/**
 * What a limiter would answer to a peer now, and why. A plain object with JSON's types only, so `JSON.stringify()` loses
 * nothing. `null` stands for what there is not: for a limit, no limit.
 */
export interface Explanation {
  /** Whether a connection of the peer would be admitted. */
  readonly admitted: boolean;
  /** Why it would be refused. `null` if it would be admitted. */
  readonly reason: RefusalReason | null;
  /** With `dryRun`, why it would be refused otherwise. `null` if it would not be, and without `dryRun`. */
  readonly wouldRefuse: RefusalReason | null;
  /** The client's name, as in `Slot.client`. `null` if the peer cannot be identified. */
  readonly client: string | null;
  /** How the client was found. `null` if the peer cannot be identified. */
  readonly found: FoundBy | null;
  /** The levels at which the connection needs room, in the order in which they are checked. */
  readonly levels: readonly ExplainedLevel[];
}

/** How a limiter has found the client of a peer. */
export interface FoundBy {
  /** What identifies the client: an address, the peer's `key`, or that the peer is a Unix socket. */
  readonly by: "address" | "key" | "unix";
  /** The peer's address in canonical form. `null` if it has none. */
  readonly address: string | null;
  /** Whether the address was given as an IPv4-mapped IPv6 address, such as `::ffff:192.0.2.7`. */
  readonly mapped: boolean;
  /** The leading bits of the address that make the client. `null` without an address. */
  readonly prefix: number | null;
  /** The rule in `networks` that holds for the address. `null` if none does. */
  readonly rule: ExplainedRule | null;
}

/** A rule in `networks`. */
export interface ExplainedRule {
  /** The rule's network, as it is named in `limiter.limits.networks`. */
  readonly network: string;
  /** The `maxPerClient` of its clients. `null` is no limit. */
  readonly maxPerClient: number | null;
  /** Whether the rule exempts them from all limits but its own. */
  readonly exempt: boolean;
}

/** One of the limits that a connection must fit under. */
export interface ExplainedLevel {
  /**
   * The limit: of the client, of one of its aggregates, of all clients, of its exempt network, of its fair share, or of a
   * rate.
   */
  readonly level: "client" | "aggregate" | "total" | "network" | "fair-share" | "rate";
  /** The name of the client, the aggregate or the network. Empty for the total. */
  readonly name: string;
  /** Connections open now. Of a rate, those of the burst that are used up. */
  readonly open: number;
  /** The most that may be open. Of a rate, the burst. `null` is no limit. */
  readonly max: number | null;
  /** Whether there is room for one more. */
  readonly room: boolean;
}
