/**
 * The instruments of a limiter, by the semantic conventions of OpenTelemetry.
 *
 * @module
 */

import type { LimiterStats } from "../core/limiter_stats.ts";
import type { Limits } from "../core/limits.ts";
import type { AttributesLike, MeterLike } from "./meter_like.ts";

/** One measurement: a value, with attributes beside those that all have. */
type Measured = readonly [value: number, attributes?: AttributesLike];

/** An instrument, and what it measures of a limiter. */
interface Instrument {
  readonly kind: "UpDownCounter" | "Counter" | "Gauge";
  readonly unit: "{connection}" | "{client}";
  readonly description: string;
  /** @param limited The levels that have had a limit so far. */
  measure(stats: LimiterStats, limits: Limits, limited: Set<string>): readonly Measured[];
}

/** The limit that is reported where there was one before: a meter may repeat the last, and JSON has no `Infinity`. */
const LIFTED = Number.MAX_SAFE_INTEGER;

/** The instruments, by name. */
export const INSTRUMENTS: Readonly<Record<string, Instrument>> = {
  "connlimit.connection.count": {
    kind: "UpDownCounter",
    unit: "{connection}",
    description: "Connections that are open.",
    measure: ({ open }) => [[open]],
  },
  "connlimit.connection.peak": {
    kind: "Gauge",
    unit: "{connection}",
    description: "The most connections that have been open at once.",
    measure: ({ peak }) => [[peak]],
  },
  "connlimit.connection.pending": {
    kind: "UpDownCounter",
    unit: "{connection}",
    description: "Accepted connections that wait for a decision.",
    measure: ({ pending }) => [[pending]],
  },
  "connlimit.connection.limit": {
    kind: "UpDownCounter",
    unit: "{connection}",
    description: "The most connections that may be open, of one client and of all. Absent where there is no limit.",
    measure: (_stats, { maxPerClient, maxTotal }, limited) =>
      ([[maxPerClient, "client"], [maxTotal, "total"]] as const)
        .filter(([max, level]) => max !== Infinity || limited.has(level))
        .map(([max, level]) => {
          limited.add(level);
          return [Math.min(max, LIFTED), { "connlimit.limit.level": level }];
        }),
  },
  "connlimit.client.count": {
    kind: "UpDownCounter",
    unit: "{client}",
    description: "Clients with open connections.",
    measure: ({ clients }) => [[clients]],
  },
  "connlimit.connection.admitted": {
    kind: "Counter",
    unit: "{connection}",
    description: "Connections admitted.",
    measure: ({ admitted }) => [[admitted]],
  },
  "connlimit.connection.refused": {
    kind: "Counter",
    unit: "{connection}",
    description: "Connections refused, by reason.",
    measure: ({ refusedBy }) => by(refusedBy, "connlimit.refusal.reason"),
  },
  "connlimit.connection.would_refuse": {
    kind: "Counter",
    unit: "{connection}",
    description: "Connections that a dry run has admitted and that would have been refused, by reason.",
    measure: ({ wouldRefuse }) => by(wouldRefuse, "connlimit.refusal.reason").filter(([count]) => count > 0),
  },
  "connlimit.connection.timed_out": {
    kind: "Counter",
    unit: "{connection}",
    description: "Admitted connections cut off at a deadline, by deadline.",
    measure: ({ timedOut }: LimiterStats & { readonly timedOut?: Readonly<Record<string, number>> }) =>
      timedOut === undefined ? [] : by(timedOut, "connlimit.timeout.kind"),
  },
  "connlimit.connection.evicted": {
    kind: "Counter",
    unit: "{connection}",
    description: "Admitted connections closed in favour of others, where that is what happens at the total.",
    measure: ({ evicted }) => [[evicted]],
  },
};

/** The instruments that are 0 once a limiter is gone. */
export const EMPTIED = [
  "connlimit.connection.count",
  "connlimit.connection.pending",
  "connlimit.client.count",
] as const;

/** A measurement for each of a fixed set of names. Those at 0 are there too, so that their rate is right from the first. */
function by(counts: Readonly<Record<string, number>>, attribute: string): readonly Measured[] {
  return Object.entries(counts).map(([name, count]) => [count, { [attribute]: name }]);
}

/** The instruments of a meter, by name. */
export type Created = ReadonlyMap<string, object>;

/** Creates the instruments. */
export function createInstruments(meter: MeterLike): Created {
  return new Map(
    Object.entries(INSTRUMENTS).map(([name, { kind, unit, description }]) => [
      name,
      meter[`createObservable${kind}`](name, { unit, description }),
    ]),
  );
}
