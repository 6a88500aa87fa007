/**
 * The options of deadlines.
 *
 * @module
 */

import type { TimeoutKind } from "../core/limiter_stats.ts";
import { checkHook, checkTimeout } from "../core/validate.ts";

/** A deadline that a connection has met. Each kind has one frozen object that all connections share. */
export interface Timeout {
  /** Which deadline it is. */
  readonly kind: TimeoutKind;
}

/** The timeout of each kind. */
export const TIMEOUTS: Readonly<Record<TimeoutKind, Timeout>> = {
  firstByte: Object.freeze({ kind: "firstByte" }),
  idle: Object.freeze({ kind: "idle" }),
  maxAge: Object.freeze({ kind: "maxAge" }),
};

/**
 * How long connections may be silent, idle and open. A connection is closed at its deadline or later, by up to a tenth of
 * the time or a second, and never earlier. `stats().timedOut` of the limiter counts the connections that have met one.
 *
 * @typeParam C The connections.
 */
export interface DeadlineOptions<C> {
  /**
   * Milliseconds from the accept to the client's first byte: 1 to 2,147,483,647, or `Infinity`. Over TLS,
   * to the first byte after the handshake, which is within the time.
   *
   * @default {Infinity}
   */
  readonly firstByteTimeout?: number;
  /**
   * Milliseconds in which a byte must be read or written: 1 to 2,147,483,647, or `Infinity`. What the
   * client does not take is not written.
   *
   * @default {Infinity}
   */
  readonly idleTimeout?: number;
  /**
   * Milliseconds that a connection may be open: 1 to 2,147,483,647, or `Infinity`.
   *
   * @default {Infinity}
   */
  readonly maxAge?: number;
  /**
   * Called for each connection that has met a deadline, right before it is closed. The connection closes when the hook
   * returns, even if it returns a promise; reads and writes that are pending then are cut short. What it throws or rejects
   * with goes to `onError`.
   */
  readonly onTimeout?: (timeout: Timeout, conn: C) => unknown;
}

/** The names of the deadlines, and of all the options. */
const TIMES = ["firstByteTimeout", "idleTimeout", "maxAge"] as const;
export const DEADLINES: readonly string[] = [...TIMES, "onTimeout"];

/**
 * Checks the values of deadlines. 0 is none of them: elsewhere it stands for no timeout.
 *
 * @throws {TypeError} For a value of the wrong type.
 * @throws {RangeError} For a number out of its range.
 */
export function checkDeadlines(options: { readonly [name in keyof DeadlineOptions<never>]?: unknown }): void {
  for (const name of TIMES) {
    if (options[name] !== undefined) checkTimeout(name, options[name], 1);
  }
  checkHook("onTimeout", options.onTimeout);
}
