/**
 * Errors that are expected, and functions that throw.
 *
 * @module
 */

/** The name of the error that a promise rejects with, or a word for its not doing so. */
export async function nameOfError(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "none";
  } catch (error) {
    return (error as Error).name;
  }
}

/** Resolves when the promise rejects, and rejects where it does not. */
export function fails(promise: Promise<unknown>): Promise<void> {
  return promise.then(() => Promise.reject(new Error("it did not fail")), () => {});
}

/** A function that throws. */
export function throwing(error: unknown): () => never {
  return () => {
    throw error;
  };
}
