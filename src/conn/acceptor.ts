/**
 * Acceptors: where the connections of a listener come from.
 *
 * @module
 */

import type { OpenConns } from "../admission/open_conn.ts";
import type { ConnLike, LimitedConn } from "./limited_conn.ts";

/** What the listeners of all runtimes have in common. */
export interface Native {
  /** Lets it keep the process running. */
  ref(): void;
  /** Lets the process end. */
  unref(): void;
}

/**
 * The admitted connections of a listener. What differs per runtime is behind this.
 *
 * @typeParam C The connections.
 * @typeParam A The address.
 */
export interface Acceptor<C extends ConnLike, A> {
  /** The address that it listens on. */
  readonly addr: A;
  /** Accepts that have failed. */
  readonly acceptErrors: number;
  /** The open connections. */
  readonly openConns: OpenConns;
  /** The listener underneath, which keeps the process running. */
  readonly native: Native;
  /** Aborted when listening has ended, by either side. */
  readonly closed: AbortSignal;
  /** Waits for the next connection; done when listening has ended. Rejects while another call waits. */
  next(): Promise<IteratorResult<LimitedConn<C>, undefined>>;
  /** Stops listening. Doing it twice changes nothing. */
  close(): void;
}
