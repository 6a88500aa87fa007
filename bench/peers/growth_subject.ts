/**
 * Measures how the limits weigh on a limiter, in a process of its own.
 *
 *   deno run --config bench/peers/deno.json -A bench/peers/growth_subject.ts KIND FAMILY COUNT
 *
 * Prints a {@linkcode GrowthSample} as JSON.
 *
 * @module
 */

import { Limiter, type LimitsOptions } from "../../mod.ts";
import { printLine } from "../lib/commands.ts";
import { addressSource, type Family } from "./client_addresses.ts";
import { aggregatesByHand } from "./aggregates_by_hand.ts";
import { byLimiter, type Counter } from "./counting_subjects.ts";
import { passes } from "./passes.ts";
import { rules } from "./rules.ts";
import { nanoseconds } from "./timing.ts";

/** What grows: rules of one prefix or of many, aggregates, and aggregates that are counted in maps by hand. */
export type GrowthKind = "rules of one prefix" | "rules of many prefixes" | "aggregates" | "aggregates by hand";

/** What was measured with so many of them. */
export interface GrowthSample {
  /** Nanoseconds to admit a connection, and to give its place back. */
  readonly accept: number;
  /** Nanoseconds to set the limits, for each rule. */
  readonly set: number;
}

const CLIENTS = 10_000;

/** From the narrowest on. The clients are scattered, so that there are nearly as many of the narrowest as clients. */
const AGGREGATES = [[24, 56], [16, 48], [8, 32]] as const;

const [kind, family, count] = Deno.args as [GrowthKind, Family, string];
printLine(await measure(Number(count)));

async function measure(count: number): Promise<GrowthSample> {
  if (kind === "aggregates by hand") {
    return { accept: await acceptAndRelease(aggregatesByHand(count, CLIENTS)), set: 0 };
  }
  const options: LimitsOptions = kind === "aggregates"
    ? {
      aggregates: AGGREGATES.slice(0, count).map(([ipv4Prefix, ipv6Prefix]) => ({
        ipv4Prefix,
        ipv6Prefix,
        max: CLIENTS,
      })),
    }
    : { networks: rules(family, count, kind === "rules of many prefixes") };
  const limiter = new Limiter(options);
  const accept = await acceptAndRelease(byLimiter(CLIENTS, limiter));
  const set = count === 0 ? 0 : await nanoseconds(count, () => {}, () => limiter.setLimits(options));
  return { accept, set };
}

async function acceptAndRelease(counter: Counter): Promise<number> {
  const source = addressSource(family, CLIENTS, 1);
  const { acceptAndRelease } = passes(counter, CLIENTS);
  return await nanoseconds(CLIENTS, source, (ips) => {
    const admitted = acceptAndRelease(ips);
    if (admitted !== CLIENTS) throw new Error(`${kind}: ${admitted} connections were admitted, not ${CLIENTS}`);
  });
}
