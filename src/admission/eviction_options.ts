/**
 * The option `whenFull` of what has connections to close.
 *
 * @module
 */

import { checkCount, checkHook, typeError } from "../core/validate.ts";

/** Why a connection is closed in favour of another. */
export interface Eviction {
  /** The client whose connection is closed, as in `Slot.client`. */
  readonly client: string;
  /** The client of the connection that gets its place. */
  readonly newcomer: string;
}

/**
 * What happens when `maxTotal` is reached.
 *
 * @typeParam C The connections.
 * @typeParam W What can be done besides.
 */
export interface EvictionOptions<C, W extends string = never> {
  /**
   * What happens to a newcomer when `maxTotal` is reached:
   *
   * - `"refuse"`: it is refused for `"total"`.
   * - `"evict"`: the newest connection of the client that has most is closed in its favour, if that client has at least two
   *   more than the newcomer's client would have. Otherwise it is refused. See docs/limits.md in the repository.
   * - `"wait"`, which only `limitedListener()` on Deno can do: nothing is accepted, and newcomers wait in the backlog.
   *
   * @default {"refuse"}
   */
  readonly whenFull?: "refuse" | "evict" | W;
  /**
   * Connections that may be closed per second in favour of others: a whole number, or `Infinity`. Only with
   * `whenFull: "evict"`. Beyond, newcomers are refused.
   *
   * @default {100}
   */
  readonly evictionsPerSecond?: number;
  /**
   * Called for each connection that is closed in favour of another, right before. Only with `whenFull: "evict"`. It closes
   * when the hook returns, even if it returns a promise; reads and writes that are pending then are cut short. What it
   * throws or rejects with goes to `onError`.
   */
  readonly onEvicted?: (eviction: Eviction, conn: C) => unknown;
}

/** The names of the options. */
export const EVICTIONS: readonly string[] = ["whenFull", "evictionsPerSecond", "onEvicted"];

/**
 * Checks the values of the options.
 *
 * @param noWait Why connections cannot wait, and what to do instead. Absent if they can.
 * @throws {TypeError} For a value of the wrong type, one that cannot be had, or an option that has no effect.
 * @throws {RangeError} For a number out of its range.
 */
export function checkEvictions(options: EvictionOptions<never, "wait">, noWait?: string): void {
  const { whenFull = "refuse", evictionsPerSecond, onEvicted } = options;
  checkWhenFull(whenFull, ["refuse", "evict"], { wait: noWait });
  if (evictionsPerSecond !== undefined) checkCount("evictionsPerSecond", evictionsPerSecond);
  checkHook("onEvicted", onEvicted);
  for (const name of ["evictionsPerSecond", "onEvicted"] as const) {
    if (options[name] !== undefined) checkBeside(name, whenFull, "evict");
  }
}

/**
 * Checks what is to happen at `maxTotal`.
 *
 * @param known What can be done here.
 * @param reasons Why other things cannot, by name. What has none can be done.
 * @throws {TypeError} For anything else.
 */
export function checkWhenFull(
  whenFull: unknown,
  known: readonly string[],
  reasons: Readonly<Record<string, string | undefined>>,
): void {
  const able = [...known, ...Object.keys(reasons).filter((name) => reasons[name] === undefined)];
  if (able.includes(whenFull as string)) return;
  const error = typeError("whenFull", able.map((name) => JSON.stringify(name)).join(" or "), whenFull);
  const reason = Object.hasOwn(reasons, whenFull as string) ? reasons[whenFull as string] : undefined;
  if (reason !== undefined) error.message += `: ${reason}`;
  throw error;
}

/** @throws {TypeError} If an option is not beside the `whenFull` that it belongs to. */
export function checkBeside(name: string, whenFull: string, owner: string): void {
  if (whenFull === owner) return;
  throw new TypeError(`${name} must be beside whenFull: "${owner}", got whenFull ${JSON.stringify(whenFull)}`);
}
