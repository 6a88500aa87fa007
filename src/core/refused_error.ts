/**
 * The errors of `Limiter.accept()`.
 *
 * @module
 */

import { REASONS, type RefusalReason } from "./reasons.ts";

/**
 * The error that {@linkcode Limiter.accept} throws for a refused connection. Its message is safe to send to a client:
 * it contains no limits and no counts. Its `name` is the name of its class.
 */
export class RefusedError extends Error {
  /** `"RefusedError"`. */
  override readonly name: string = "RefusedError";
  /** Why the connection was refused. */
  readonly reason: RefusalReason;

  /** Creates an error with a refusal's reason. */
  constructor(reason: RefusalReason) {
    super("connection refused by the limiter");
    this.reason = reason;
  }
}

/**
 * The {@linkcode RefusedError} for a limit that is reached: `"client"`, `"aggregate"`, `"total"`, `"fair-share"`
 * or `"rate"`. A retry may succeed once another connection has closed or, for `"rate"`, after a while.
 */
export class LimitReachedError extends RefusedError {
  /** `"LimitReachedError"`. */
  override readonly name: string = "LimitReachedError";
}

/** Creates the error for a reason, of the class that suits it. */
export function refusedError(reason: RefusalReason): RefusedError {
  return REASONS[reason].limit ? new LimitReachedError(reason) : new RefusedError(reason);
}
