/**
 * What does counting cost in process, and how does that grow with the clients?
 *
 * @module
 */

import { median, medianRatio } from "../lib/statistics.ts";
import type { Family } from "./client_addresses.ts";
import { inTurns, measured } from "./isolated.ts";
import type { CountingSample } from "./counting_subject.ts";
import { MEASURED, type SubjectName } from "./counting_subjects.ts";
import type { Figure, Growth } from "./figures.ts";

/** Clients that hold a connection each. */
const CLIENTS = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];

/** With so many, figures are told. */
const TOLD = new Set([1, 10_000, 1_000_000]);

/** For fewer clients, what else is on the heap blurs what they take. */
const LEAST_FOR_BYTES = 10_000;

/** Passes over so many clients are long enough to even out. */
const MANY = 1_000_000;

type Key = `${Family} ${SubjectName}`;

/** What is told of the samples. */
interface Measure {
  readonly of: keyof CountingSample;
  readonly work: string;
  readonly unit: string;
}

const TIMES: readonly Measure[] = [
  { of: "accept", work: "accept + release", unit: "ns" },
  { of: "refuse", work: "refuse", unit: "ns" },
];
const BYTES: readonly Measure[] = [
  { of: "held", work: "bytes per client with a connection", unit: "bytes" },
  { of: "left", work: "bytes per client that has gone", unit: "bytes" },
];

/** Measures all who count next to each other, in rounds. */
export async function measureCounting(quick: boolean): Promise<{ figures: Figure[]; growth: Growth }> {
  const figures: Figure[] = [];
  const series: Record<string, [number, number][]> = {};
  for (const clients of quick ? CLIENTS.slice(0, -1) : CLIENTS) {
    const keys = Object.entries(MEASURED).flatMap(([family, names]) => names.map((name) => `${family} ${name}` as Key));
    const samples = await inTurns(keys, rounds(clients, quick), (key) => {
      const [family, name] = split(key);
      return measured<CountingSample>("counting_subject.ts", name, family, clients);
    });
    for (const key of keys) {
      (series[label(key)] ??= []).push([clients, median(samples[key].map(({ accept }) => accept))]);
    }
    if (TOLD.has(clients)) figures.push(...told(clients, samples));
  }
  return {
    figures,
    growth: { title: "Cost of a connection by clients", x: "clients, each with a connection", y: "ns", series },
  };
}

function rounds(clients: number, quick: boolean): number {
  if (quick) return 1;
  return TOLD.has(clients) && clients < MANY ? 5 : 3;
}

/** The figures for so many clients, work by work, each to the hand-written map's for the same family. */
function told(clients: number, samples: Readonly<Record<Key, readonly CountingSample[]>>): Figure[] {
  const measures = clients < LEAST_FOR_BYTES ? TIMES : [...TIMES, ...BYTES];
  return measures.flatMap(({ of, work, unit }) =>
    (Object.keys(samples) as Key[]).map((key) => {
      const [family, name] = split(key);
      const values = samples[key].map((sample) => sample[of]);
      const references = samples[`${family} hand-written map`].map((sample) => sample[of]);
      return {
        work: `${work}, ${clients.toLocaleString("en")} ${family} client${clients === 1 ? "" : "s"}`,
        by: name,
        value: median(values),
        unit,
        // What is nothing to speak of cannot be a measure.
        ratio: of === "left" ? NaN : medianRatio(values, references),
      };
    })
  );
}

/** As it stands at a line of a chart. */
function label(key: Key): string {
  const [family, name] = split(key);
  return MEASURED.IPv6.includes(name) ? `${name}, ${family}` : name;
}

function split(key: Key): [family: Family, name: SubjectName] {
  const space = key.indexOf(" ");
  return [key.slice(0, space) as Family, key.slice(space + 1) as SubjectName];
}
