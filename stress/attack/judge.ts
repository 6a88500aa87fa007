/**
 * What came of an attack on a server, against what must hold.
 *
 * @module
 */

import { quantile } from "../../bench/lib/statistics.ts";
import { type AttackName, MAX_PER_CLIENT, type Mode } from "./attacks.ts";
import type { Attempts } from "./seen.ts";
import type { Outcome } from "./round.ts";
import { type Kind, SERVERS } from "./targets.ts";

/** One server under one attack. */
export interface Row {
  readonly server: string;
  readonly mode: Mode;
  readonly attack: AttackName;
  readonly outcome: Outcome;
}

const LEAST_SERVED = 0.999;
/** Until an open connection is answered, at the 99th percentile. */
export const MOST_MILLISECONDS = 5;

/** The figures that have to reach something. */
export type Figure = "served" | "established" | "peak" | "leaked" | "survived";

/** A figure as text, and whether it is as it must be. */
export interface Shown {
  readonly text: string;
  readonly reached: boolean;
}

export function share({ attempts, served }: Attempts): number {
  return attempts === 0 ? 0 : served / attempts;
}

export function percent(share: number): string {
  // Rounded down: 100 % is all.
  return `${Math.floor(share * 10_000) / 100} %`;
}

const milliseconds = (value: number) => Number.isNaN(value) ? "–" : value.toFixed(value < 10 ? 1 : 0);

export function latency({ times }: Pick<Attempts, "times">): string {
  return times.length === 0 ? "–" : `${milliseconds(quantile(times, 0.5))} / ${milliseconds(quantile(times, 0.99))}`;
}

function served({ during: { established, fresh } }: Outcome): Shown {
  const [kept, came] = [share(established), share(fresh)];
  const text = kept === came ? percent(kept) : `${percent(kept)}, new ${percent(came)}`;
  return { text, reached: Math.min(kept, came) >= LEAST_SERVED };
}

/** What the crowd has seen is exact; the kernel also has, for a moment, those that are refused with an answer. */
function peak({ protocol }: Kind, { peakServed, peakHeld, state }: Outcome, limited: boolean): Shown {
  const most = peakServed > 0 || protocol === "requests" ? peakServed : peakHeld;
  // Requests that get no answer are seen by the server alone.
  const text = protocol === "requests" && most === 0 ? "–" : `${most}`;
  return { text: limited ? `${text}, of all ${state.peak}` : text, reached: most <= MAX_PER_CLIENT };
}

function leaked({ slotsLeaked, socketsLeaked, ended }: Outcome): Shown {
  if (ended !== undefined) return { text: "–", reached: true };
  const parts = [];
  if (slotsLeaked > 0) parts.push(`${slotsLeaked} slots`);
  if (socketsLeaked > 0) parts.push(`${socketsLeaked} sockets`);
  return { text: parts.join(", ") || "0", reached: parts.length === 0 };
}

function survived({ ended, complaints, after: { fresh } }: Outcome): Shown {
  if (ended !== undefined) {
    // deno-lint-ignore no-control-regex
    const plain = complaints.replaceAll(/\x1b\[\d*m/g, "");
    const error = /error: (?:Uncaught )?(?:\(in promise\) )?(.*?)(?: \(os error \d+\))?$/im.exec(plain)?.[1];
    return { text: `no: ${error ?? ended}`, reached: false };
  }
  if (fresh.served < fresh.attempts || fresh.attempts === 0) {
    return { text: `no: answers ${percent(share(fresh))} afterwards`, reached: false };
  }
  return { text: "yes", reached: true };
}

/** Judges all figures. */
export function judge({ server, mode, outcome }: Row): Record<Figure, Shown> {
  const { established } = outcome.during;
  return {
    served: served(outcome),
    established: { text: latency(established), reached: quantile(established.times, 0.99) <= MOST_MILLISECONDS },
    peak: peak(SERVERS[server]!, outcome, mode !== "bare"),
    leaked: leaked(outcome),
    survived: survived(outcome),
  };
}
