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
    const now = ticks();
    let wait = 0;
    if (aggregates.length === 0) {
      if (rate !== undefined) wait = this.#take(client, rate, now, rate.penalty ? 2 : 1);
    } else {
      const levels = [{ key: client, rate }, ...aggregates];
      for (const { key, rate } of levels) if (rate) wait = Math.max(wait, this.#take(key, rate, now, 0));
      for (const { key, rate } of levels) if (rate && (wait <= 0 || rate.penalty)) this.#take(key, rate, now, 2);
    }
    this.#wait = wait;
    return wait <= 0;
  }

  /** How many connections of a burst have been taken and have not come back yet, in whole connections. */
  taken(key: ClientKey, rate: CompiledRate): number {
    return Math.ceil(this.#tables[familyOf(key)].spent(key, rate, ticks()) / rate.interval);
  }

  #take(key: ClientKey, rate: CompiledRate, now: number, take: 0 | 1 | 2): number {
    return this.#tables[familyOf(key)].take(key, rate, now, this.maxTracked, take);
  }
}

function ticks(): number {
  return Math.floor(performance.now() * TICKS_PER_MS);
}
