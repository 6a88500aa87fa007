/**
 * How many bytes does a client with one open connection take, beyond the caller's own objects?
 *
 *   deno run -A --v8-flags=--expose-gc,--max-old-space-size=4000 bench/memory.ts
 *
 * Prints the bytes for IPv4 and for IPv6.
 *
 * @module
 */

import { Limiter } from "../mod.ts";

const CLIENTS = 1_000_000;

function measure(peerOf: (client: number) => string): number {
  const peers = makePeers(peerOf);
  const slots = new Array<Disposable>(CLIENTS);
  const limiter = new Limiter();
  const before = heapUsed();
  for (let client = 0; client < CLIENTS; client++) slots[client] = limiter.accept(peers[client]!);
  const bytes = heapUsed() - before;
  if (limiter.stats().clients !== CLIENTS) throw new Error(`${limiter.stats().clients} clients`);
  for (const slot of slots) slot[Symbol.dispose]();
  // Used again, so that they cannot have been collected while it was measured.
  if (peers.length !== CLIENTS || limiter.open !== 0) throw new Error("the peers or the slots are gone");
  return bytes / CLIENTS;
}

/** By way of JSON, since strings put together piece by piece change their size when they are first read. */
function makePeers(peerOf: (client: number) => string): string[] {
  return JSON.parse(JSON.stringify(Array.from({ length: CLIENTS }, (_, client) => peerOf(client))));
}

function heapUsed(): number {
  (globalThis as { gc?: () => void }).gc!();
  return Deno.memoryUsage().heapUsed;
}

const hex = (value: number) => value.toString(16);
console.log(measure((client) => `10.${client >> 16}.${client >> 8 & 255}.${client & 255}`));
console.log(measure((client) => `2001:db8:${hex(client >> 16)}:${hex(client & 0xffff)}::1`));
