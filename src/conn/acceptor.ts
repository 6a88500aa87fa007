/**
 * Acceptors: where the connections of a listener come from.
 *
 * @module
 */

import type { OpenConns } from "../admission/open_conn.ts";
import type { ConnLike, LimitedConn } from "./limited_conn.ts";

/** The common part of all runtimes' listeners. */
export interface Native {
  /** Keeps the process running while the listener is open. */
  ref(): void;
  /** Lets the process exit while the listener is open. */
  unref(): void;
}

/**
 * The admitted connections of a listener. Each runtime implements it.
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
  /** The refused connections that are being answered. */
  readonly answering: OpenConns;
  /** The runtime's own listener. */
  readonly native: Native;
  /** Aborted when the listener is closed, through either object. */
  readonly closed: AbortSignal;
  /** Waits for the next connection; done when listening has ended. Rejects while another call waits. */
  next(): Promise<IteratorResult<LimitedConn<C>, undefined>>;
  /** Stops listening. Doing it twice changes nothing. */
  close(): void;
}
