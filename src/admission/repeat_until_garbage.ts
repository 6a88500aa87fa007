/**
 * Timers that end with what they are for.
 *
 * @module
 */

import { setInterval } from "node:timers";

/**
 * Calls a function with an object every so many milliseconds, until the object is garbage; then calls another one. The timer
 * keeps no process alive. The functions must not hold the object.
 *
 * @returns What ends it before.
 */
export function repeatUntilGarbage<T extends object>(
  object: T,
  ms: number,
  call: (object: T) => void,
  gone: () => void = () => {},
): () => void {
  return repeat(new WeakRef(object), ms, call, gone);
}

/** A function of its own, since the closures of one scope hold all that any of them uses. */
function repeat<T extends object>(
  weak: WeakRef<T>,
  ms: number,
  call: (object: T) => void,
  gone: () => void,
): () => void {
  const timer = setInterval(() => {
    const object = weak.deref();
    if (object !== undefined) return call(object);
    clearInterval(timer);
    gone();
  }, ms);
  timer.unref();
  return () => clearInterval(timer);
}
