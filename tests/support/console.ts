/**
 * Calls of `console.error`, kept from the console.
 *
 * @module
 */

/** Runs with `console.error` put aside. Resolves to what that was called with meanwhile. */
export async function printed(run: () => unknown): Promise<unknown[][]> {
  const { error } = console;
  const calls: unknown[][] = [];
  console.error = (...args) => void calls.push(args);
  try {
    await run();
  } finally {
    console.error = error;
  }
  return calls;
}
