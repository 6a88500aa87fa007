/**
 * The situations of the model of a shared limit.
 *
 * @module
 */

import type { LimitsOptions } from "@connlimit/connlimit";

/** How often something happens, in proportion. What is missing does not happen. */
export interface Weights {
  readonly accept?: number;
  readonly release?: number;
  readonly execute?: number;
  readonly deliver?: number;
  readonly tick?: number;
  /** A timer runs late. */
  readonly late?: number;
  /** A message is lost. */
  readonly drop?: number;
  /** A message is executed, and its reply is lost. */
  readonly mute?: number;
  /** A message is executed, and will be again. */
  readonly again?: number;
  /** A message is answered by an error, executed or not. */
  readonly fail?: number;
  readonly crash?: number;
  readonly start?: number;
  readonly flush?: number;
  readonly resync?: number;
}

/** A situation, and what can happen in it. */
export interface Setup {
  readonly limits: LimitsOptions & { readonly maxPerClient: number };
  readonly clients: readonly string[];
  readonly instances: number;
  readonly steps: number;
  readonly weights: Weights;
  /** Whether signs of life arrive at once, so that nobody is taken for dead. */
  readonly signsArrive: boolean;
  readonly onStoreDown?: "local" | "closed";
}

/** What goes well: connections come and go, and messages arrive. */
const CALM = { accept: 6, release: 5, execute: 8, deliver: 8, tick: 3 } as const;
/** Messages are lost, come twice or fail. Any may be late as it is. */
const MESSAGES = { ...CALM, drop: 1, mute: 1, again: 1, fail: 1 } as const;
const CRASHES = { ...MESSAGES, crash: 1, start: 1 } as const;
const FLUSHES = { ...MESSAGES, flush: 1, resync: 1 } as const;
const EVERYTHING = { ...CRASHES, ...FLUSHES, late: 1 } as const;

const CLIENT = { limits: { maxPerClient: 2 }, clients: ["10.0.0.1"] } as const;
const AGGREGATE = {
  limits: { maxPerClient: 3, aggregates: [{ ipv4Prefix: 24, max: 4 }] },
  clients: ["10.0.0.1", "10.0.0.2"],
} as const;
const TOTAL = { limits: { maxPerClient: 3, maxTotal: 5 }, clients: ["10.0.0.1", "10.0.1.1"] } as const;

const certain = { signsArrive: true } as const;
const uncertain = { signsArrive: false } as const;

/** By their names. */
export const SETUPS: Readonly<Record<string, Setup>> = {
  "calm": { ...CLIENT, instances: 2, steps: 60, weights: CALM, ...certain },
  "messages": { ...CLIENT, instances: 2, steps: 80, weights: MESSAGES, ...certain },
  "messages of three": { ...CLIENT, instances: 3, steps: 100, weights: MESSAGES, ...certain },
  "signs of life": { ...CLIENT, instances: 2, steps: 100, weights: { ...MESSAGES, late: 1 }, ...uncertain },
  "crashes": { ...CLIENT, instances: 2, steps: 100, weights: CRASHES, ...certain },
  "flushes": { ...CLIENT, instances: 2, steps: 100, weights: FLUSHES, ...uncertain },
  "everything": { ...CLIENT, instances: 2, steps: 120, weights: EVERYTHING, ...uncertain },
  "everything, local": {
    ...CLIENT,
    instances: 2,
    steps: 120,
    weights: { ...EVERYTHING, resync: 0 },
    ...uncertain,
    onStoreDown: "local",
  },
  "total": { ...TOTAL, instances: 3, steps: 120, weights: MESSAGES, ...certain },
  "total, everything": { ...TOTAL, instances: 3, steps: 120, weights: EVERYTHING, ...uncertain },
  "aggregate": { ...AGGREGATE, instances: 3, steps: 120, weights: MESSAGES, ...certain },
  "aggregate, everything": { ...AGGREGATE, instances: 2, steps: 120, weights: EVERYTHING, ...uncertain },
};
