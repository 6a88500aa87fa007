/**
 * Sweeping: for runtimes that do not report the end of every connection.
 *
 * @module
 */

import type { RefusalReason } from "./reasons.ts";

/**
 * Releases the slots of connections that have ended unnoticed. Called before a refusal, with its reason and a function that
 * names the client. Returns whether to try once more.
 */
export type Sweep = (reason: RefusalReason, client: () => string) => boolean;

/** Sweeps everything that shares a limiter. Returns whether to try once more. */
export function sweepAll(sweeps: ReadonlySet<Sweep>, reason: RefusalReason, client: () => string): boolean {
  let again = false;
  for (const sweep of sweeps) if (sweep(reason, client)) again = true;
  return again;
}
