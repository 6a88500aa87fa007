/**
 * Signals of requests that can be aborted by the library.
 *
 * @module
 */

/** Requests that have another signal than the runtime's. */
const replaced = new WeakSet<Request>();

/** The runtime's own signal of a request. It tells when the client has left, and nothing else. */
export function runtimeSignal(request: Request): AbortSignal {
  return replaced.has(request) ? ofRuntime(request) : request.signal;
}

function ofRuntime(request: Request): AbortSignal {
  return Reflect.get(Object.getPrototypeOf(request), "signal", request);
}

/**
 * Makes the signal of a request one that the library can abort, too. The runtime's is not read before somebody reads this
 * one, since Deno takes that for a wish.
 *
 * @returns What aborts it.
 */
export function makeAbortable(request: Request): AbortController {
  const controller = new AbortController();
  // With nested limiters, the one around has replaced it already.
  const around = Object.getOwnPropertyDescriptor(request, "signal")?.get;
  let signal: AbortSignal | undefined;
  Object.defineProperty(request, "signal", {
    configurable: true,
    get: () => signal ??= AbortSignal.any([around ? around.call(request) : ofRuntime(request), controller.signal]),
  });
  replaced.add(request);
  return controller;
}
