/**
 * Waits between accepts that fail.
 *
 * @module
 */

import { classifyAcceptError } from "./classify_accept_error.ts";

/**
 * The first and the longest wait, in milliseconds, while accepts fail. The first is short, since a descriptor is often free
 * soon; the longest bounds both the spinning and the delay once accepts succeed.
 */
const MIN_BACKOFF_MS = 5;
const MAX_BACKOFF_MS = 200;

/**
 * How often accepts may fail in a row for an unknown reason without a wait. If clients are the reason, the listener has
 * others to accept behind them.
 */
const UNKNOWN_AT_ONCE = 10;

/** The names and codes of errors that a client causes. A wait after them would let a client delay the others. */
const OF_CLIENTS = new Set<unknown>([
  "NotConnected",
  "ConnectionReset",
  "ConnectionAborted",
  "BrokenPipe",
  "UnexpectedEof",
  "InvalidData",
  "TimedOut",
  "ENOTCONN",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "EPROTO",
  "ETIMEDOUT",
]);

/** Tells how long to wait after a failed accept. */
export class AcceptBackoff {
  #next = MIN_BACKOFF_MS;
  #unknown = 0;

  /** An accept has succeeded. The next wait is the shortest again. */
  reset(): void {
    this.#next = MIN_BACKOFF_MS;
    this.#unknown = 0;
  }

  /** An accept has failed. Returns the milliseconds to wait; 0 if the next accept may succeed at once. */
  fail(error: unknown): number {
    if (classifyAcceptError(error) !== "exhausted") {
      if (isOfClient(error)) return 0;
      if (++this.#unknown % UNKNOWN_AT_ONCE > 0) return 0;
    }
    const wait = this.#next;
    this.#next = Math.min(wait * 2, MAX_BACKOFF_MS);
    return wait;
  }
}

function isOfClient(error: unknown): boolean {
  const { name, code } = error instanceof Error ? error as Error & { code?: unknown } : {};
  return OF_CLIENTS.has(name) || OF_CLIENTS.has(code);
}
