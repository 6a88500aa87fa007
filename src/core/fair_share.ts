/**
 * A fair share of what is free.
 *
 * @module
 */

import { checkOptions, checkWhole, formatValue, typeError } from "./validate.ts";

/** How much of what is free under `maxTotal` one client may hold. */
export interface FairShareOptions {
  /**
   * The part of what is free: a number above 0, up to 1.
   *
   * @default {0.125}
   */
  readonly share?: number;
  /**
   * Connections that each client may hold as long as `maxTotal` is not reached: a whole number from 0.
   *
   * @default {4}
   */
  readonly floor?: number;
}

/**
 * Validates a fair share and applies the defaults. `true` is the defaults, `false` is none.
 *
 * @throws {TypeError} For an unknown option or a value of the wrong type.
 * @throws {RangeError} For a number out of its range, or if `maxTotal` is `Infinity`.
 */
export function checkFairShare(fairShare: unknown, maxTotal: number): Required<FairShareOptions> | false {
  if (fairShare === false) return false;
  const options = fairShare === true ? {} : fairShare;
  checkOptions("fairShare", "option in fairShare", options, ["share", "floor"]);
  const { share = 1 / 8, floor = 4 } = options;
  if (typeof share !== "number") throw typeError("fairShare.share", "a number", share);
  if (!(share > 0 && share <= 1)) {
    throw new RangeError(`fairShare.share must be a number above 0, up to 1, got ${formatValue(share)}`);
  }
  checkWhole("fairShare.floor", floor, 0, Infinity);
  if (maxTotal === Infinity) throw new RangeError("fairShare must have a finite maxTotal, got maxTotal Infinity");
  return Object.freeze({ share, floor });
}

/** The most that one client may hold now, the connection to come included. */
export function shareOf({ share, floor }: Required<FairShareOptions>, maxTotal: number, open: number): number {
  return Math.max(floor, Math.floor(share * (maxTotal - open)));
}
