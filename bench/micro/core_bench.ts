/**
 * What does counting a connection cost, compared with the map of counts that one would write by hand?
 *
 * An iteration is ten thousand clients.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { Limiter } from "../../mod.ts";
import { mapBaseline } from "../lib/map_baseline.ts";
import { acceptAndRelease, acceptAndReleaseByMap, ADDRESSES, CLIENTS, refuse } from "./core_work.ts";

for (const family of ["IPv4", "IPv6"] as const) {
  const ips = ADDRESSES[family];
  const accept = mapBaseline(100);
  const limiter = new Limiter();
  acceptAndRelease(limiter, ips);
  assertEquals([limiter.stats().peak, limiter.open], [CLIENTS, 0]);
  const group = `10,000 × accept + release, ${family}`;
  Deno.bench(`${group}: hand-written map`, { group, baseline: true }, () => acceptAndReleaseByMap(accept, ips));
  Deno.bench(`${group}: connlimit`, { group }, () => acceptAndRelease(limiter, ips));
}

const limiter = new Limiter();
const full = new Limiter({ maxPerClient: 1 });
full.accept("10.0.0.1");
const group = "10,000 × refuse";
Deno.bench(`${group}: accept + release`, { group, baseline: true }, () => acceptAndRelease(limiter, ADDRESSES.IPv4));
Deno.bench(`${group}: connlimit`, { group }, () => refuse(full, "10.0.0.1"));
