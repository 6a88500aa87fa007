/**
 * Ending child processes.
 *
 * @module
 */

/** Ends a process that may have ended by itself. */
export function kill(child: Deno.ChildProcess, signal?: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It has.
  }
}
