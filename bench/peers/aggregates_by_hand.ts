/**
 * Aggregates as one would write them by hand: a map for each, keyed by the beginning of the address's text.
 *
 * @module
 */

import type { Counter } from "./counting_subjects.ts";

/** Counts IPv4 clients, and around each of them so many networks of 24, 16 and 8 bits. */
export function aggregatesByHand(aggregates: number, clients: number): Counter {
  const max = clients;
  const maps = Array.from({ length: aggregates + 1 }, () => new Map<string, number>());
  const places = new Array<readonly string[] | undefined>(clients);
  return {
    accept(client, ip) {
      const keys = keysOf(ip, aggregates);
      for (let i = 0; i < keys.length; i++) if ((maps[i]!.get(keys[i]!) ?? 0) >= max) return false;
      for (let i = 0; i < keys.length; i++) maps[i]!.set(keys[i]!, (maps[i]!.get(keys[i]!) ?? 0) + 1);
      places[client] = keys;
      return true;
    },
    release(client) {
      const keys = places[client]!;
      for (let i = 0; i < keys.length; i++) {
        const left = maps[i]!.get(keys[i]!)! - 1;
        if (left === 0) maps[i]!.delete(keys[i]!);
        else maps[i]!.set(keys[i]!, left);
      }
      places[client] = undefined;
    },
  };
}

/** The address, and then ever less of it. */
function keysOf(ip: string, aggregates: number): string[] {
  const keys = [ip];
  for (let i = 0, end = ip.length; i < aggregates; i++) {
    end = ip.lastIndexOf(".", end - 1);
    keys.push(ip.slice(0, end));
  }
  return keys;
}
