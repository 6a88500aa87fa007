/**
 * Acceptors: where the connections of a listener come from.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { OpenConns } from "../admission/open_conns.ts";
import type { ConnLike, LimitedConn } from "./limited_conn.ts";

/** Where admitted connections come from: what differs per runtime. */
export interface Acceptor<C extends ConnLike, A> {
  /** The address that is listened on. */
  readonly addr: A;
  /** Accepts that failed. */
  readonly acceptErrors: number;
  /** The openConns of the connections that it has yielded and that are open. */
  readonly openConns: OpenConns;
  /** Aborted when listening has ended, by whomever. */
  readonly closed: AbortSignal;
  /** Waits for the next connection; done when listening has ended. Rejects while another call is pending. */
  next(): Promise<IteratorResult<LimitedConn<C>, undefined>>;
  /** What an accept rejects with once listening has ended. */
  closedError(): unknown;
  /** Stops listening. Doing it twice changes nothing. */
  close(): void;
  /** Lets listening keep the process running. */
  ref(): void;
  /** Lets the process end. */
  unref(): void;
}

/** Resolves in the next turn of the event loop, in which other sockets have their say. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
