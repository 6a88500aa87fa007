/**
 * How fast the clients of one limiter come.
 *
 * @module
 */

import { type ClientKey, familyOf } from "./client_key.ts";
import type { Aggregate } from "./counts.ts";
import { type CompiledRate, TICKS_PER_MS } from "./rate.ts";
import { RateTable } from "./rate_table.ts";

/** The rates of clients and of their aggregates. They outlive a change of the limits. */
export class Rates {
  /** The most that each table may have. */
  maxTracked = 0;
  /** The time at which the refused connection is due, in ticks from now. */
  #wait = 0;
  /** A flood of IPv6 clients forgets no IPv4 client, and no account. */
  readonly #tables = [new RateTable(), new RateTable(), new RateTable()] as const;

  /** The number of clients and aggregates that are remembered. */
  get size(): number {
    return this.#tables.reduce((sum, { size }) => sum + size, 0);
  }

  /** Whole seconds until the connection that was just refused would be due. */
  get retryAfter(): number {
    return Math.max(1, Math.ceil(this.#wait / (1_000 * TICKS_PER_MS)));
  }

  /** Takes a connection of a client and its aggregates, if it is due at all of them. */
  take(client: ClientKey, rate: CompiledRate | undefined, aggregates: readonly Aggregate[]): boolean {
    const now = Math.floor(performance.now() * TICKS_PER_MS);
    let wait = 0;
    let spent = 0;
    for (const { key, rate } of aggregates) {
      if (rate !== undefined) wait = Math.max(wait, this.#spent(key, rate, now) + rate.interval - rate.span);
    }
    if (rate !== undefined) {
      spent = this.#spent(client, rate, now);
      wait = Math.max(wait, spent + rate.interval - rate.span);
    }
    const due = wait <= 0;
    this.#wait = wait;
    if (rate !== undefined && (due || rate.penalty)) this.#spend(client, rate, now, spent);
    for (const { key, rate } of aggregates) {
      if (rate !== undefined && (due || rate.penalty)) this.#spend(key, rate, now, this.#spent(key, rate, now));
    }
    return due;
  }

  /** How many connections of a burst have been taken and have not come back yet, in whole connections. */
  taken(key: ClientKey, rate: CompiledRate): number {
    const now = Math.floor(performance.now() * TICKS_PER_MS);
    return Math.ceil(this.#tables[familyOf(key)].peek(key, rate, now) / rate.interval);
  }

  #spent(key: ClientKey, rate: CompiledRate, now: number): number {
    return this.#tables[familyOf(key)].spent(key, rate, now);
  }

  #spend(key: ClientKey, rate: CompiledRate, now: number, spent: number): void {
    this.#tables[familyOf(key)].spend(key, rate, now, spent, this.maxTracked);
  }
}
