/**
 * The library's one error class.
 *
 * @module
 */

import type { RefusalReason } from "./slot.ts";

/**
 * Thrown by {@linkcode Limiter.accept} for a connection that may not open. Its message is generic, so that it can be
 * passed on to a client: it tells no limits and no counts. Its `name` is `"LimitReachedError"`.
 */
export class LimitReachedError extends Error {
  /** Why the connection may not open. */
  readonly reason: RefusalReason;

  /** Makes the error for a refusal's reason. */
  constructor(reason: RefusalReason) {
    super("connection refused by the limiter");
    this.name = "LimitReachedError";
    this.reason = reason;
  }
}
