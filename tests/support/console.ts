/**
 * What is printed to the console, kept from it.
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
