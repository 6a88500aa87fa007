/**
 * The work of the core benchmarks: ten thousand clients connect and then leave.
 *
 * So the map is as full as a busy server's, and no slot is optimised away.
 *
 * @module
 */

import type { Limiter } from "../../mod.ts";
import type { mapBaseline } from "../lib/map_baseline.ts";

export const CLIENTS = 10_000;

/** An address for each client, by family. */
export const ADDRESSES: Readonly<Record<"IPv4" | "IPv6", readonly string[]>> = {
  IPv4: Array.from({ length: CLIENTS }, (_, i) => `10.${i >> 8}.${i & 255}.${1 + i % 250}`),
  IPv6: Array.from({ length: CLIENTS }, (_, i) => `2001:db8:${(i >> 4).toString(16)}:${i & 15}::${1 + i % 250}`),
};

const frees = new Array<() => void>(CLIENTS);
const slots = new Array<Disposable>(CLIENTS);

/** Counts by the hand-written map. */
export function acceptAndReleaseByMap(accept: ReturnType<typeof mapBaseline>, ips: readonly string[]): void {
  for (let i = 0; i < CLIENTS; i++) frees[i] = accept(ips[i]!)!;
  for (let i = 0; i < CLIENTS; i++) frees[i]!();
}

/** Counts by a limiter. */
export function acceptAndRelease(limiter: Limiter, ips: readonly string[]): void {
  for (let i = 0; i < CLIENTS; i++) slots[i] = limiter.accept(ips[i]!);
  for (let i = 0; i < CLIENTS; i++) slots[i]![Symbol.dispose]();
}

/** Refuses as often as there are clients. The client must be at its limit. */
export function refuse(full: Limiter, ip: string): void {
  for (let i = 0; i < CLIENTS; i++) full.tryAccept(ip);
}
