/**
 * What must hold after a soak.
 *
 * @module
 */

import { MOST } from "./soak_limits.ts";
import type { Soaked } from "./soak.ts";

/** One condition, and whether it holds. */
export interface Verdict {
  readonly condition: string;
  /** Absent where it could not be told. */
  readonly holds: boolean | undefined;
  readonly detail: string;
}

/** By how much resident memory may have grown since the first minute. */
const RESIDENT_GROWTH = 0.1;

/** The same for the heap, in which a leak shows sooner, since it is small and the allocators' reserves are no part of it. */
const HEAP_GROWTH = 0.25;

/** Judges a soak. */
export function judge(soaked: Soaked): Verdict[] {
  const verdicts = [survived(soaked), inOrder(soaked), nothingOpen(soaked), nothingLeft(soaked), ...memory(soaked)];
  return soaked.options.bare ? verdicts : [...verdicts, atTheLimit(soaked), neverAbove(soaked)];
}

function survived({ failure, minutes, options }: Soaked): Verdict {
  return {
    condition: "The servers survived",
    holds: failure === undefined && minutes.at(-1)?.minute === options.minutes,
    detail: failure ?? `${options.minutes} minutes`,
  };
}

function inOrder({ counts }: Soaked): Verdict {
  const all = Object.values(counts);
  const sum = (outcome: keyof typeof all[number]["outcomes"]) =>
    all.reduce((sum, { outcomes }) => sum + (outcomes[outcome] ?? 0), 0);
  const [served, broken, stuck] = [sum("served"), sum("broken"), sum("stuck")];
  return {
    condition: "Nobody who was admitted was served wrongly, or waited ten seconds",
    holds: served > 0 && broken === 0 && stuck === 0,
    detail: `${served} served, ${broken} broken, ${stuck} stuck`,
  };
}

function nothingOpen({ minutes, options }: Soaked): Verdict {
  const leaks = minutes.flatMap(({ minute, open, clients }) => {
    const named = Object.entries(open).map(([name, count]) => `${count} of ${name}`);
    return named.length > 0 || clients > 0 ? [`minute ${minute}: ${named.join(", ")}, ${clients} clients`] : [];
  });
  const slowest = Math.max(...minutes.map(({ rested }) => rested));
  return {
    condition: "Each minute, when all clients had left: open 0, no clients",
    holds: options.bare || minutes.length === 0 ? undefined : leaks.length === 0,
    detail: leaks.length > 0 ? leaks.join("; ") : `after ${seconds(slowest)} at the latest`,
  };
}

function nothingLeft({ minutes, before }: Soaked): Verdict {
  const last = minutes.at(-1);
  const counted = before && last?.descriptors;
  const counts = minutes.map(({ descriptors, unopened }) => `${descriptors?.sockets}${unopened > 0 ? "*" : ""}`);
  const note = last && last.unopened > 0
    ? `; * ${last.unopened} of them are the runtime's, of WebSockets that were reset before they opened`
    : "";
  return {
    condition: "Each minute, the descriptors were back at the level before",
    holds: counted && minutes.every(({ descriptors, unopened }) => descriptors!.sockets <= before.sockets + unopened),
    detail: counted
      ? `sockets: ${before.sockets} before, ${
        counts.join(" ")
      }; all: ${before.all} before, ${counted.all} at the end${note}`
      : "not counted on this system",
  };
}

function memory({ minutes }: Soaked): Verdict[] {
  const compare = (condition: string, name: "rss" | "heap", most: number): Verdict => {
    const [first, last] = [minutes[0]?.memory[name], minutes.at(-1)?.memory[name]];
    if (minutes.length < 2) return { condition, holds: undefined, detail: "that takes two minutes or more" };
    const growth = last! / first! - 1;
    // That it shrinks is no defect.
    const holds = growth <= most;
    return { condition, holds, detail: `${megabytes(first!)} MB to ${megabytes(last!)} MB: ${percent(growth)}` };
  };
  return [
    compare("Resident memory at rest grew by at most 10 % from the first minute to the end", "rss", RESIDENT_GROWTH),
    compare("The heap in use at rest grew by at most 25 %", "heap", HEAP_GROWTH),
  ];
}

function atTheLimit({ watches }: Soaked): Verdict {
  const all = Object.entries(watches.limiters);
  const idle = all.filter(([, { admitted, refusedBy }]) =>
    [admitted, refusedBy.client, refusedBy.aggregate, refusedBy.total, refusedBy.blocked].includes(0)
  );
  return {
    condition: "Each limiter admitted, and refused for every reason",
    holds: all.length > 0 && idle.length === 0,
    detail: idle.length > 0 ? `not ${idle.map(([name]) => name).join(", ")}` : `${all.length} limiters`,
  };
}

function neverAbove({ watches, counts }: Soaked): Verdict {
  const all = Object.values(watches.limiters);
  const over = all.reduce((sum, limiter) => sum + limiter.over, 0);
  const peak = Math.max(...all.map(({ peak }) => peak));
  const [held, heldOfClient] = [0, 1].map((i) => Math.max(...Object.values(counts).map(({ held }) => held[i]!)));
  return {
    condition: "Never more open than the limits in force allowed",
    holds: over === 0 && peak <= MOST.maxTotal && held! <= MOST.maxTotal && heldOfClient! <= MOST.maxPerClient,
    detail: `${over} admissions above; at most ${peak} of ${MOST.maxTotal} at once; as clients saw it, ` +
      `${held} of ${MOST.maxTotal}, and ${heldOfClient} of ${MOST.maxPerClient} for one client`,
  };
}

/** Bytes as megabytes. */
export function megabytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

/** Milliseconds as seconds. */
export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}

/** A change, with its sign. */
export function percent(share: number): string {
  return `${share < 0 ? "−" : "+"}${Math.abs(share * 100).toFixed(1)} %`;
}
