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

/** Makes an error of Deno's class where there is Deno, and one with that name elsewhere. */
export function systemError(name: SystemErrorName, message: string, cause?: unknown): Error {
  const DenoError = (globalThis as Runtime).Deno?.errors[name] ?? Error;
  const error = new DenoError(message, cause === undefined ? undefined : { cause });
  error.name = name;
  return error;
}
