/**
 * How many bytes does a client with one open connection take, beyond the caller's own objects?
 *
 *   deno run -A --v8-flags=--expose-gc,--max-old-space-size=4000 bench/micro/memory_program.ts
 *
 * Prints the bytes for IPv4 and for IPv6.
 *
 * @module
 */

import { heapUsed } from "../../testing/memory.ts";
import { printLine } from "../lib/commands.ts";
import { loadCore } from "../lib/library.ts";

const CLIENTS = 1_000_000;

const { Limiter } = await loadCore();

function measure(peerOf: (client: number) => string): number {
  const peers = makePeers(peerOf);
  const slots = new Array<Disposable>(CLIENTS);
  const limiter = new Limiter();
  const before = heapUsed();
  for (let client = 0; client < CLIENTS; client++) slots[client] = limiter.accept(peers[client]!);
  const bytes = heapUsed() - before;
  if (limiter.stats().clients !== CLIENTS) throw new Error(`${limiter.stats().clients} clients`);
  for (const slot of slots) slot[Symbol.dispose]();
  // This use keeps the peers and the slots alive while they are measured.
  if (peers.length !== CLIENTS || limiter.open !== 0) throw new Error("the peers or the slots are gone");
  return bytes / CLIENTS;
}

/** By way of JSON, since strings put together piece by piece change their size when they are first read. */
function makePeers(peerOf: (client: number) => string): string[] {
  return JSON.parse(JSON.stringify(Array.from({ length: CLIENTS }, (_, client) => peerOf(client))));
}

const hex = (value: number) => value.toString(16);
printLine([
  measure((client) => `10.${client >> 16}.${client >> 8 & 255}.${client & 255}`),
  measure((client) => `2001:db8:${hex(client >> 16)}:${hex(client & 0xffff)}::1`),
]);
