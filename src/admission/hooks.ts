/**
 * Users' hooks, and calling them so that nothing they do reaches the accept loop.
 *
 * @module
 */

import type { Refusal } from "../core/slot.ts";
import { checkHook, checkOptions } from "../core/validate.ts";

/**
 * Receives what another hook throws or rejects with, and failed accepts. Its result is ignored. Its own first failure
 * is logged with `console.error`.
 */
export type ErrorHook = (error: unknown) => unknown;

/**
 * Hooks that observe refusals.
 *
 * @typeParam C The connections.
 */
export interface RefusalHooks<C> {
  /**
   * Called for each refused connection, right before it is closed. The connection closes when the hook returns, even if
   * it returns a promise; reads and writes that are pending then are cut short. What it throws or rejects with goes to
   * `onError`. In a dry run it is called once the connection is admitted, with `refusal.dryRun`, and closes nothing.
   */
  readonly onRefused?: (refusal: Refusal, conn: C) => unknown;
  /**
   * Receives what `onRefused` throws or rejects with. Without it, the first failure of each hook is logged with
   * `console.error`.
   */
  readonly onError?: ErrorHook;
}

/**
 * Checks options that have hooks.
 *
 * @param name The name of the options, as in `unknown listener option`.
 * @param more The names of further options.
 * @throws {TypeError} For an unknown option or a hook that is no function.
 */
export function checkHooks(
  name: string,
  options: { readonly onRefused?: unknown; readonly onError?: unknown },
  more: readonly string[] = [],
): void {
  checkOptions("options", `${name} option`, options, ["onRefused", "onError", ...more]);
  checkHook("onRefused", options.onRefused);
  checkHook("onError", options.onError);
}

/** Hooks whose failure has been printed: a hook that fails for every connection must not flood the console. */
const printed = new WeakSet<object>();

/**
 * Calls a hook. What it throws or rejects with goes to `onError`. Without `onError`, or if `onError` itself fails, the first
 * failure of each hook is logged.
 */
export function callHook<A extends unknown[]>(
  hook: ((...args: A) => unknown) | undefined,
  onError: ErrorHook | undefined,
  ...args: A
): void {
  if (hook === undefined) return;
  try {
    const result = hook(...args);
    if (isThenable(result)) result.then(undefined, (error) => hookFailed(hook, onError, error));
  } catch (error) {
    hookFailed(hook, onError, error);
  }
}

/** Reports what a hook has thrown or rejected with. */
export function hookFailed(hook: object, onError: ErrorHook | undefined, error: unknown): void {
  if (onError !== undefined) {
    callHook(onError, undefined, error);
  } else if (!printed.has(hook)) {
    printed.add(hook);
    console.error("connlimit: a hook failed (further failures of it are not printed):", error);
  }
}

/** Whether a value is a promise, native or not. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (typeof value === "object" && value !== null || typeof value === "function") &&
    typeof (value as { then?: unknown }).then === "function";
}
