/**
 * Users' hooks, and calling them so that nothing they do reaches the accept loop.
 *
 * @module
 */

import type { Refusal } from "../core/slot.ts";
import { checkHook, checkPlainObject, rejectUnknownKeys } from "../core/validate.ts";

/**
 * Told of errors: a failed accept, or what another hook threw or rejected with. What it returns is ignored; the first that it
 * throws or rejects with itself is printed by `console.error`.
 */
export type ErrorHook = (error: unknown) => unknown;

/**
 * What can be told of refusals.
 *
 * @typeParam C The connections.
 */
export interface RefusalHooks<C> {
  /**
   * Called with each refused connection and the reason, right before the connection is closed. It is closed as soon as
   * the hook returns, even where that is with a promise; what the hook has begun to read or write is cut short then. What
   * it throws or rejects with goes to `onError`.
   */
  readonly onRefused?: (refusal: Refusal, conn: C) => unknown;
  /**
   * Called with what `onRefused` threw or rejected with. Without it, the first failure of each hook is printed by
   * `console.error`.
   */
  readonly onError?: ErrorHook;
}

/**
 * Checks options that have hooks.
 *
 * @param name What the options are for, as in `unknown listener option`.
 * @param more What they may have besides hooks.
 * @throws {TypeError} For an unknown option or a hook that is no function.
 */
export function checkHooks(
  name: string,
  options: { readonly onRefused?: unknown; readonly onError?: unknown },
  more: readonly string[] = [],
): void {
  checkPlainObject("options", options);
  rejectUnknownKeys(`${name} option`, options, ["onRefused", "onError", ...more]);
  checkHook("onRefused", options.onRefused);
  checkHook("onError", options.onError);
}

/** Hooks whose failure has been printed: a hook that fails for every connection must not flood the console. */
const printed = new WeakSet<object>();

/**
 * Calls a hook. What it throws or rejects with goes to `onError`; without one, or where `onError` itself failed, it is
 * printed once for each hook.
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

/** Tells what a hook threw or rejected with. */
export function hookFailed(hook: object, onError: ErrorHook | undefined, error: unknown): void {
  if (onError !== undefined) {
    callHook(onError, undefined, error);
  } else if (!printed.has(hook)) {
    printed.add(hook);
    console.error("connlimit: a hook failed (further failures of it are not printed):", error);
  }
}

/** Whether a function has returned a promise, of whichever make. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}
