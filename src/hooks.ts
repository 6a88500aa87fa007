/**
 * Calling users' hooks so that nothing they do reaches the accept loop.
 *
 * @module
 */

/** Told of errors: a failed accept, or what another hook threw or rejected with. */
export type ErrorHook = (error: unknown) => void | Promise<void>;

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

function hookFailed(hook: object, onError: ErrorHook | undefined, error: unknown): void {
  if (onError !== undefined) {
    callHook(onError, undefined, error);
  } else if (!printed.has(hook)) {
    printed.add(hook);
    console.error("connlimit: a hook failed (further failures of it are not printed):", error);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}
