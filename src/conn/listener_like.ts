/**
 * What `limitedListener()` takes.
 *
 * @module
 */

import type { ConnLike } from "./limited_conn.ts";

/** A listener in the shape of a `Deno.Listener`. */
export interface ListenerLike<C extends ConnLike = ConnLike, A = unknown> {
  /** The address that it listens on. */
  readonly addr: A;
  /** Waits for the next connection. */
  accept(): Promise<C>;
  /** Stops listening. */
  close(): void;
  /** Makes a pending `accept()` keep the process running. */
  ref(): void;
  /** Stops a pending `accept()` from keeping the process running. */
  unref(): void;
}
