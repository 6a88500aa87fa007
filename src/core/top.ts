/**
 * `top()`: the clients with most open connections, and those refused most.
 *
 * @module
 */

import { type ClientKey, clientName } from "./client_key.ts";
import type { Counts } from "./counts.ts";
import type { ClientCount } from "./limiter_stats.ts";
import type { RefusalReason } from "./reasons.ts";
import { checkWhole } from "./validate.ts";

/** The clients with most open connections, and those refused most lately. A plain object that JSON can carry. */
export interface TopClients {
  /** The clients with most open connections, the highest number first. */
  readonly open: readonly ClientCount[];
  /** The clients refused most lately, the highest number first. `null` unless `watchRefusals()` watches the limiter. */
  readonly refused: readonly RefusedClient[] | null;
}

/** A client, and how often it has been refused lately. */
export interface RefusedClient {
  /** The client's name, as in `Slot.client`. A key with more than 64 characters is cut. */
  readonly client: string;
  /** Refusals lately, at least. */
  readonly refused: number;
  /** How many more there may have been. 0 while few clients are refused. */
  readonly error: number;
  /** The reason of the last refusal. */
  readonly reason: RefusalReason;
}

/** Ranks the clients that are refused most. */
export interface RefusalRanking {
  /** Returns the first `n` of them. */
  top(n: number): readonly RefusedClient[];
}

/** Returns the first `n` clients by open connections and by refusals. */
export function top(n: number, counts: Counts): TopClients {
  checkWhole("n", n, 0, 1_000);
  const open = largest(counts, n).map(([key, open]) => ({ client: clientName(key), open }));
  return { open, refused: counts.ranking?.top(n) ?? null };
}

/** The `n` entries with the largest numbers, the largest first, of any number of entries. */
export function largest(entries: Iterable<[ClientKey, number]>, n: number): [ClientKey, number][] {
  const first: [ClientKey, number][] = [];
  for (const entry of entries) {
    let at = first.length;
    if (at === n && !(entry[1] > (first[n - 1]?.[1] ?? Infinity))) continue;
    while (at > 0 && first[at - 1]![1] < entry[1]) at--;
    first.splice(at, 0, entry);
    if (first.length > n) first.pop();
  }
  return first;
}
