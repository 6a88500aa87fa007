/**
 * The levels at which a limit is shared, each with twelve keys or one.
 *
 * @module
 */

import type { LimitsOptions } from "@connlimit/connlimit";

/** One of them. */
export interface SharedLevel {
  /** The most that may be open for one key. */
  readonly max: number;
  readonly keys: number;
  readonly limits: LimitsOptions;
  /** The address of some client of a key. */
  addressOf(key: number): string;
}

const KEYS = 12;
const random = (below: number) => Math.floor(Math.random() * below);

/** By their names. */
export const LEVELS: Readonly<Record<"client" | "aggregate" | "total", SharedLevel>> = {
  client: { max: 10, keys: KEYS, limits: { maxPerClient: 10 }, addressOf: (key) => `192.0.2.${key}` },
  aggregate: {
    max: 20,
    keys: KEYS,
    limits: { maxPerClient: Infinity, aggregates: [{ ipv4Prefix: 24, max: 20 }] },
    addressOf: (key) => `10.0.${key}.${random(250)}`,
  },
  total: {
    max: 100,
    keys: 1,
    limits: { maxPerClient: Infinity, maxTotal: 100 },
    addressOf: () => `10.0.${random(250)}.${random(250)}`,
  },
};

/** The name of one. */
export type SharedLevelName = keyof typeof LEVELS;
