/**
 * The options of shared limits.
 *
 * @module
 */

import { checkHook, checkOptions, checkWhole, formatValue, typeError } from "../core/validate.ts";
import type { StoreStatus } from "./store_health.ts";

/** How a limit is shared. */
export interface SharingLimitOptions {
  /**
   * What to do with connections while the store does not answer:
   *
   * - `"local"`: this instance's own counts decide, so that a client may have as many connections at each instance as it may
   *   have in all;
   * - `"open"`: every client is admitted that is not blocked;
   * - `"closed"`: every connection is refused as `"unavailable"`.
   *
   * Connections that are open stay open in any case, and count again when the store is back.
   *
   * @default {"local"}
   */
  readonly onStoreDown?: "local" | "open" | "closed";
  /**
   * Is called with each change of {@linkcode StoreLimiter.status}, once, and with the error that led to `"down"`. Log it: while
   * the store is down, the limit is not exact.
   */
  readonly onStatus?: (status: StoreStatus, cause?: unknown) => unknown;
  /**
   * Milliseconds after which the store's answer is waited for no more, 1 to 60,000. Then `onStoreDown` decides on that connection.
   *
   * @default {200}
   */
  readonly deadlineMs?: number;
  /**
   * Milliseconds between signs of life, 10 to 600,000.
   *
   * @default {3000}
   */
  readonly heartbeatMs?: number;
  /**
   * Milliseconds of silence after which the others take the place of an instance: at least twice `heartbeatMs` and `deadlineMs`
   * more. A crash gives slots back after this time and, for those who ask again, at most two heartbeats. All instances should have the same value.
   *
   * @default {10000}
   */
  readonly deadMs?: number;
  /**
   * The most connections that wait for the store's answer, at least 1. Beyond it they are refused as `"pending"`.
   *
   * @default {10000}
   */
  readonly maxWaiting?: number;
}

/** The options with their values. */
export interface CheckedOptions extends Required<Omit<SharingLimitOptions, "onStatus">> {
  readonly onStatus: SharingLimitOptions["onStatus"];
}

/** The names of the options. */
export const SHARING_OPTIONS: readonly string[] = [
  "onStoreDown",
  "onStatus",
  "deadlineMs",
  "heartbeatMs",
  "deadMs",
  "maxWaiting",
];

const POLICIES: readonly unknown[] = ["local", "open", "closed"];

/**
 * Checks options, and applies the defaults.
 *
 * @param more The names of further options.
 * @throws {TypeError} For an unknown option or a value of the wrong type.
 * @throws {RangeError} For a number out of its range.
 */
export function checkSharing(options: SharingLimitOptions, more: readonly string[] = []): CheckedOptions {
  checkOptions("options", "option of a shared limiter", options, [...more, ...SHARING_OPTIONS]);
  const {
    onStoreDown = "local",
    onStatus,
    deadlineMs = 200,
    heartbeatMs = 3_000,
    deadMs = 10_000,
    maxWaiting = 10_000,
  } = options as SharingLimitOptions;
  if (!POLICIES.includes(onStoreDown)) throw typeError("onStoreDown", '"local", "open" or "closed"', onStoreDown);
  checkHook("onStatus", onStatus);
  checkWhole("deadlineMs", deadlineMs, 1, 60_000);
  checkWhole("heartbeatMs", heartbeatMs, 10, 600_000);
  checkWhole("deadMs", deadMs, 1, 3_600_000);
  checkWhole("maxWaiting", maxWaiting, 1, Infinity);
  const least = 2 * heartbeatMs + deadlineMs;
  if (deadMs < least) {
    throw new RangeError(
      `deadMs must be at least 2 × heartbeatMs + deadlineMs, which is ${least}, got ${formatValue(deadMs)}`,
    );
  }
  return { onStoreDown, onStatus, deadlineMs, heartbeatMs, deadMs, maxWaiting };
}
