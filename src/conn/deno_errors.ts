/**
 * Errors of connections and listeners, named as on Deno.
 *
 * @module
 */

/** The names that are used here, as in `Deno.errors`. */
export type SystemErrorName = "BadResource" | "BrokenPipe" | "Busy" | "ConnectionReset" | "Interrupted" | "InvalidData";

interface Runtime {
  readonly Deno?: {
    readonly errors: Partial<Record<SystemErrorName, new (...args: ConstructorParameters<typeof Error>) => Error>>;
  };
}

/** What a call rejects with while another accept is pending. */
export function busy(): Error {
  return systemError("Busy", "Another accept task is ongoing");
}

/** What an accept rejects with once the listener is closed. */
export function listenerClosed(): Error {
  return systemError("BadResource", "Listener has been closed");
}

/** What a read or a write rejects with on a connection that is closed here. */
export function badResource(): Error {
  return systemError("BadResource", "Bad resource ID");
}

/** What a read or a write rejects with that was pending when the connection was closed here. */
export function interrupted(): Error {
  return systemError("Interrupted", "operation canceled");
}

/** Makes an error of Deno's class where there is Deno, and one with that name elsewhere. */
export function systemError(name: SystemErrorName, message: string, cause?: unknown): Error {
  const DenoError = (globalThis as Runtime).Deno?.errors[name] ?? Error;
  const error = new DenoError(message, cause === undefined ? undefined : { cause });
  error.name = name;
  return error;
}
