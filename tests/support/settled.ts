/**
 * What has happened to a promise, without waiting for it.
 *
 * @module
 */

/** Resolves when everything that is ready to run has run. It takes no time of a clock. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

/** Resolves to what a promise has resolved to, or to `"open"`, once everything that is ready to run has run. */
export async function settled<T>(promise: Promise<T>): Promise<T | "open"> {
  let state: T | "open" = "open";
  promise.then((value) => state = value, () => {});
  await turns();
  return state;
}
