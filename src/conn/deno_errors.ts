/**
 * Errors of connections and listeners, with Deno's names.
 *
 * @module
 */

/** The names of `Deno.errors` that the library uses. */
export type SystemErrorName = "BadResource" | "BrokenPipe" | "Busy" | "ConnectionReset" | "Interrupted" | "InvalidData";

interface Runtime {
  readonly Deno?: {
    readonly errors: Partial<Record<SystemErrorName, new (...args: ConstructorParameters<typeof Error>) => Error>>;
  };
}

/** The error of a read or write after the connection was closed on this side. */
export function badResource(): Error {
  return systemError("BadResource", "Bad resource ID");
}

/** The error of a read or write that was pending when the connection was closed on this side. */
export function interrupted(): Error {
  return systemError("Interrupted", "operation canceled");
}

/** Creates an error of Deno's class on Deno, and a plain `Error` with the same name elsewhere. */
export function systemError(name: SystemErrorName, message: string, cause?: unknown): Error {
  const DenoError = (globalThis as Runtime).Deno?.errors[name] ?? Error;
  const error = new DenoError(message, cause === undefined ? undefined : { cause });
  error.name = name;
  return error;
}
