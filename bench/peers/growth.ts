/**
 * How does the cost of a connection grow with what is in the limits, and how that of setting them?
 *
 * @module
 */

import { median } from "../lib/statistics.ts";
import type { Family } from "./client_addresses.ts";
import { inTurns, measured } from "./isolated.ts";
import type { GrowthKind, GrowthSample } from "./growth_subject.ts";
import type { Growth } from "./figures.ts";

const RULES = [0, 1, 10, 100, 1_000, 10_000, 100_000];
const AGGREGATES = [0, 1, 2, 3];
const ROUNDS = 3;

/** Who is measured, by the name that stands at the line. */
type Lines = Readonly<Record<string, readonly [kind: GrowthKind, family: Family]>>;

const RULES_LINES: Lines = {
  "IPv4, all of /24": ["rules of one prefix", "IPv4"],
  "IPv4, of /9 to /32": ["rules of many prefixes", "IPv4"],
  "IPv6, all of /48": ["rules of one prefix", "IPv6"],
  "IPv6, of /33 to /64": ["rules of many prefixes", "IPv6"],
};
const AGGREGATES_LINES: Lines = {
  "connlimit, IPv4": ["aggregates", "IPv4"],
  "connlimit, IPv6": ["aggregates", "IPv6"],
  "hand-written maps, IPv4": ["aggregates by hand", "IPv4"],
};

/** By name, the growths with rules for networks and with aggregates. */
export async function measureGrowth(quick: boolean): Promise<Record<"rules" | "set_limits" | "aggregates", Growth>> {
  const rules = await sample(RULES_LINES, quick ? RULES.slice(0, 4) : RULES, quick);
  const aggregates = await sample(AGGREGATES_LINES, AGGREGATES, quick);
  return {
    rules: {
      title: "Cost of a connection by rules for networks",
      x: "rules in networks",
      y: "ns per accept + release, 10,000 clients",
      series: seriesOf(rules, "accept"),
    },
    set_limits: {
      title: "Cost of setLimits() by rules for networks",
      x: "rules in networks",
      y: "ns per rule",
      series: seriesOf(rules, "set", 1),
    },
    aggregates: {
      title: "Cost of a connection by aggregates",
      x: "aggregates",
      y: "ns per accept + release, 10,000 clients",
      series: seriesOf(aggregates, "accept"),
    },
  };
}

/** The medians of some lines, by how many there were of what grows. */
type Samples = Readonly<Record<string, ReadonlyMap<number, GrowthSample>>>;

async function sample(lines: Lines, counts: readonly number[], quick: boolean): Promise<Samples> {
  const samples: Record<string, Map<number, GrowthSample>> = {};
  for (const name of Object.keys(lines)) samples[name] = new Map();
  for (const count of counts) {
    const taken = await inTurns(Object.keys(lines), quick ? 1 : ROUNDS, (name) => {
      const [kind, family] = lines[name]!;
      return measured<GrowthSample>("growth_subject.ts", kind, family, count);
    });
    for (const [name, samplesOfName] of Object.entries(taken)) {
      const of = (key: keyof GrowthSample) => median(samplesOfName.map((sample) => sample[key]));
      samples[name]!.set(count, { accept: of("accept"), set: of("set") });
    }
  }
  return samples;
}

function seriesOf(samples: Samples, key: keyof GrowthSample, from = 0): Growth["series"] {
  return Object.fromEntries(
    Object.entries(samples).map(([name, byCount]) => [
      name,
      [...byCount].filter(([count]) => count >= from).map(([count, sample]) => [count, sample[key]] as const),
    ]),
  );
}
