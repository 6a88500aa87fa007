/**
 * What does counting a connection cost, against the map of counts that one would write by hand?
 *
 * Ten thousand clients connect and then leave, so that the map is as full as a busy server's and no slot is optimised away.
 *
 * @module
 */

import { Limiter } from "../mod.ts";
import { handWritten } from "./hand_written.ts";
import { assertEquals } from "@std/assert";

const CLIENTS = 10_000;
const IPV4 = Array.from({ length: CLIENTS }, (_, i) => `10.${i >> 8}.${i & 255}.${1 + i % 250}`);
const IPV6 = Array.from({ length: CLIENTS }, (_, i) => `2001:db8:${(i >> 4).toString(16)}:${i & 15}::${1 + i % 250}`);

const frees = new Array<() => void>(CLIENTS);
const slots = new Array<Disposable>(CLIENTS);

function byHand(accept: ReturnType<typeof handWritten>, ips: readonly string[]): void {
  for (let i = 0; i < CLIENTS; i++) frees[i] = accept(ips[i]!)!;
  for (let i = 0; i < CLIENTS; i++) frees[i]!();
}

function byLimiter(limiter: Limiter, ips: readonly string[]): void {
  for (let i = 0; i < CLIENTS; i++) slots[i] = limiter.accept(ips[i]!);
  for (let i = 0; i < CLIENTS; i++) slots[i]![Symbol.dispose]();
}

for (const [family, ips] of [["IPv4", IPV4], ["IPv6", IPV6]] as const) {
  const accept = handWritten(100);
  const limiter = new Limiter();
  byLimiter(limiter, ips);
  assertEquals([limiter.stats().peak, limiter.open], [CLIENTS, 0]);
  const group = `accept + release, ${family}`;
  Deno.bench(`${group}: hand-written map`, { group, baseline: true }, () => byHand(accept, ips));
  Deno.bench(`${group}: connlimit`, { group }, () => byLimiter(limiter, ips));
}

const limiter = new Limiter();
const full = new Limiter({ maxPerClient: 1 });
full.accept("10.0.0.1");
const group = "refuse";
Deno.bench("refuse: accept + release", { group, baseline: true }, () => byLimiter(limiter, IPV4));
Deno.bench("refuse: connlimit", { group }, () => {
  for (let i = 0; i < CLIENTS; i++) full.tryAccept("10.0.0.1");
});
