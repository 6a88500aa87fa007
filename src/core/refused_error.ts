/**
 * What `Limiter.accept()` throws.
 *
 * @module
 */

import { REASONS, type RefusalReason } from "./reasons.ts";

/**
 * Thrown by {@linkcode Limiter.accept} for a connection that may not open. Its message is generic and can be passed on to a
 * client: it contains no limits and no counts. Its `name` is the name of its class.
 */
export class RefusedError extends Error {
  /** Why the connection may not open. */
  readonly reason: RefusalReason;

  /** Makes the error for a refusal's reason. */
  constructor(reason: RefusalReason) {
    super("connection refused by the limiter");
    this.name = "RefusedError";
    this.reason = reason;
  }
}

/**
 * The {@linkcode RefusedError} of a limit: `"client"`, `"aggregate"` or `"total"`. The same connection may be admitted
 * later, when another one has closed.
 */
export class LimitReachedError extends RefusedError {
  /** Makes the error for a refusal's reason. */
  constructor(reason: RefusalReason) {
    super(reason);
    this.name = "LimitReachedError";
  }
}

/** The error for a reason. */
export function refusedError(reason: RefusalReason): RefusedError {
  return REASONS[reason].limit ? new LimitReachedError(reason) : new RefusedError(reason);
}
