/**
 * The option `whenFull` of what limits requests.
 *
 * @module
 */

import { checkWhole, MAX_TIMEOUT_MS } from "../core/validate.ts";
import { checkBeside, checkWhenFull } from "./eviction_options.ts";
import { PendingStage } from "./pending_stage.ts";

/** What happens to requests when `maxTotal` is reached. */
export interface WaitOptions {
  /**
   * What happens to a request when `maxTotal` is reached:
   *
   * - `"refuse"`: it is refused for `"total"`.
   * - `"wait"`: it waits until another ends, in the order of arrival. It is refused at once where another limit is reached,
   *   at which those that wait count, too; for `"pending"` where `maxWaiting` wait already; and for `"timeout"` after
   *   `waitTimeout`. See docs/limits.md in the repository.
   *
   * @default {"refuse"}
   */
  readonly whenFull?: "refuse" | "wait";
  /**
   * Requests that may wait at once: a whole number from 1. Only with `whenFull: "wait"`.
   *
   * @default {1_000}
   */
  readonly maxWaiting?: number;
  /**
   * Milliseconds that a request may wait: a whole number from 1 to 2,147,483,647. Only with `whenFull: "wait"`.
   *
   * @default {5_000}
   */
  readonly waitTimeout?: number;
}

/** The names of the options. */
export const WAITS: readonly string[] = ["whenFull", "maxWaiting", "waitTimeout"];

const NO_EVICTION = "a request that is in flight is not cut off for another; let requests wait, or limit connections";

/**
 * Checks the values of the options.
 *
 * @throws {TypeError} For a value of the wrong type, one that cannot be had, or an option that has no effect.
 * @throws {RangeError} For a number out of its range.
 */
export function checkWaits(options: { readonly [name in keyof WaitOptions]?: unknown }): void {
  const { whenFull = "refuse", maxWaiting, waitTimeout } = options;
  checkWhenFull(whenFull, ["refuse", "wait"], { evict: NO_EVICTION });
  if (maxWaiting !== undefined) checkWhole("maxWaiting", maxWaiting, 1, Infinity);
  if (waitTimeout !== undefined) checkWhole("waitTimeout", waitTimeout, 1, MAX_TIMEOUT_MS);
  for (const name of ["maxWaiting", "waitTimeout"] as const) {
    if (options[name] !== undefined) checkBeside(name, whenFull as string, "wait");
  }
}

/** The stage in which requests wait, if checked options let them. */
export function waitingStage<C>({ whenFull, maxWaiting, waitTimeout }: WaitOptions): PendingStage<C> | undefined {
  if (whenFull !== "wait") return undefined;
  return new PendingStage({
    ...maxWaiting !== undefined && { max: maxWaiting },
    ...waitTimeout !== undefined && { timeout: waitTimeout },
  });
}
