/**
 * Waiting.
 *
 * @module
 */

import { setTimeout } from "node:timers/promises";

/** Resolves after so many milliseconds, or at once when the signal is aborted. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  // What it rejects with can only be the abort, for which callers look at the signal.
  await setTimeout(ms, undefined, signal && { signal }).catch(() => {});
}
