/**
 * The levels at which a connection needs room.
 *
 * @module
 */

import { type ClientKey, clientName } from "./client_key.ts";
import { clientOf } from "./client_of.ts";
import type { Counts } from "./counts.ts";
import type { CompiledLimits } from "./limits.ts";
import type { Peer } from "./peer.ts";

/** One of the limits that a connection must fit under. */
export interface Level {
  /** The limit: of the client, of one of its aggregates, or of all clients. It is also the reason of a refusal. */
  readonly level: "client" | "aggregate" | "total";
  /** The key of the client or aggregate. Absent for the total. */
  readonly key?: ClientKey;
  /** The name of the client or aggregate. Empty for the total. */
  readonly name: string;
  /** Connections open now. */
  readonly open: number;
  /** The most that may be open. */
  readonly max: number;
}

/**
 * Returns the levels of a connection of `peer`, in the order in which they are checked. `undefined` if the peer cannot be
 * identified.
 */
export function levelsOf(peer: Peer, compiled: CompiledLimits, counts: Counts): readonly Level[] | undefined {
  const client = clientOf(peer, compiled);
  if (client === undefined) return undefined;
  const { limits } = compiled;
  const { key, rule } = client;
  const { maxPerClient } = rule ?? limits;
  const aggregates = counts.aggregatesOf(key).map(({ key, max }): Level => (
    { level: "aggregate", key, name: clientName(key), open: counts.openIn(key), max }
  ));
  return [
    { level: "client", key, name: clientName(key), open: counts.openFor(key), max: maxPerClient },
    ...aggregates,
    { level: "total", name: "", open: counts.open, max: limits.maxTotal },
  ];
}
