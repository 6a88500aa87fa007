/**
 * `top()`: the clients with most open connections, and those refused most.
 *
 * @module
 */

import { type ClientKey, clientName } from "./client_key.ts";
import type { Counts } from "./counts.ts";
import type { TopClients } from "./top_clients.ts";
import { checkWhole } from "./validate.ts";

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
