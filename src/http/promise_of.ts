/**
 * The promises that handlers return.
 *
 * @module
 */

import { isThenable } from "../admission/hooks.ts";

/**
 * The promise that a handler has returned, of whatever make, as one of the language's own; `undefined` if it has returned
 * something else. The method `then` of another make is called once, by the language's rules: it may throw, call back twice
 * or start work at each call.
 */
export function promiseOf(result: unknown): Promise<unknown> | undefined {
  try {
    return isThenable(result) ? Promise.resolve(result) : undefined;
  } catch (error) {
    // A getter has thrown, which rejects where a promise is awaited.
    return Promise.reject(error);
  }
}

/** Calls back when a promise of {@linkcode promiseOf} has settled, with what it has resolved to or rejected with. */
export function whenSettled(promise: Promise<unknown>, settled: (value: unknown) => void): void {
  // The promise may have a method `then` of its own, which those who await it do not call.
  then.call(promise, settled, settled);
}

const { then } = Promise.prototype;
