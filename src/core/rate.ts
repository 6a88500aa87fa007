/**
 * Rates of new connections, as options.
 *
 * @module
 */

import { checkOptions, checkWhole, formatValue, typeError } from "./validate.ts";

/** How many new connections may come per second. */
export interface Rate {
  /** New connections per second in the long run: 0.000001 to 100,000. `0.1` is one in ten seconds. */
  readonly perSecond: number;
  /**
   * New connections at once, after a while without any: a whole number from 1 to 1,000,000.
   *
   * @default `perSecond`, rounded up
   */
  readonly burst?: number;
  /**
   * Whether an attempt that the rate refuses extends the wait. With `true`, a client that keeps trying faster than
   * `perSecond` is refused until it pauses for the time of one connection.
   *
   * @default {false}
   */
  readonly penalty?: boolean;
}

/** The rate of each client. */
export interface RateOptions extends Rate {
  /**
   * The most clients and aggregates that are remembered in each of three groups: IPv4, IPv6, and others. A whole number
   * from 1 to 16,777,215. Only those that have come within their burst's time need to be remembered. Beyond, the one that could soonest
   * open a whole burst again is forgotten, and may do so at once.
   *
   * @default {65536}
   */
  readonly maxTracked?: number;
}

/** A rate in the form that the limiter reads: times in ticks, which are whole numbers, so that no sum is rounded. */
export interface CompiledRate {
  /** From one connection to the next. */
  readonly interval: number;
  /** For a whole burst. */
  readonly span: number;
  readonly penalty: boolean;
}

/** Ticks per millisecond. */
export const TICKS_PER_MS = 10_000;

/** The default of {@linkcode RateOptions.maxTracked}. */
export const MAX_TRACKED = 65_536;

const KNOWN = ["perSecond", "burst", "penalty"];

/**
 * Validates a rate and applies the defaults. `false` is no rate.
 *
 * @param name The name of the option.
 * @param tracked Whether it may have `maxTracked`.
 * @throws {TypeError} For an unknown option or a value of the wrong type.
 * @throws {RangeError} For a number out of its range.
 */
export function checkRate(
  name: string,
  rate: unknown,
  tracked = false,
): Required<RateOptions> | Required<Rate> | false {
  if (rate === false) return false;
  checkOptions(name, `option in ${name}`, rate, tracked ? [...KNOWN, "maxTracked"] : KNOWN);
  const { perSecond, penalty = false, maxTracked = MAX_TRACKED } = rate;
  if (typeof perSecond !== "number") throw typeError(`${name}.perSecond`, "a number", perSecond);
  if (!(perSecond >= 1e-6 && perSecond <= 1e5)) {
    throw new RangeError(`${name}.perSecond must be a number from 0.000001 to 100000, got ${formatValue(perSecond)}`);
  }
  const { burst = Math.ceil(perSecond) } = rate;
  checkWhole(`${name}.burst`, burst, 1, 1e6);
  if (typeof penalty !== "boolean") throw typeError(`${name}.penalty`, "a boolean", penalty);
  if (!tracked) return Object.freeze({ perSecond, burst, penalty });
  checkWhole(`${name}.maxTracked`, maxTracked, 1, 2 ** 24 - 1);
  return Object.freeze({ perSecond, burst, penalty, maxTracked });
}

/** The compiled form of a checked rate. */
export function compileRate(rate: Required<Rate> | false): CompiledRate | undefined {
  if (rate === false) return undefined;
  const interval = Math.round(1_000 * TICKS_PER_MS / rate.perSecond);
  return { interval, span: interval * rate.burst, penalty: rate.penalty };
}
