/**
 * The gate's view of adapters and limiters.
 *
 * @module
 */

import type { Admitter } from "../core/admitter.ts";
import type { Peer } from "../core/peer.ts";
import type { Admission, Refusal, Slot } from "../core/slot.ts";
import type { ErrorHook } from "./hooks.ts";
import type { OpenConn } from "./open_conn.ts";

export type { Admitter, Awaitable } from "../core/admitter.ts";

/** An answer that comes later, and can be done without. */
export interface Later extends PromiseLike<Admission> {
  /** Gives it up. It then never comes. */
  withdraw(): void;
}

/**
 * The actions of an adapter on accepted connections. There is one port for each listener or server, so that a connection
 * costs no object.
 *
 * @typeParam C The connections.
 * @typeParam R The adapter's own result of an offer.
 */
export interface Port<C, R> {
  /** Names the peer of a connection. */
  peerOf(conn: C): Peer;
  /** The record of a connection that has been admitted before, by whichever limiter. Absent where there can be none. */
  recordOf?(conn: C): OpenConn | undefined;
  /** Takes an admitted connection, and releases `slot` when it closes. */
  admit(conn: C, slot: Slot): R;
  /** Prepares a refused connection for `onRefused`. Returns the hook's argument. */
  present(conn: C): unknown;
  /** Returns the argument of `onRefused` for a connection that a dry run has admitted. By default, the connection. */
  presentAdmitted?(conn: C): unknown;
  /** Answers or closes a refused connection. */
  refuse(conn: C, refusal: Refusal): R;
  /**
   * Keeps a pending connection from being read or served, and calls `ended` when its client leaves. Returns what ends both.
   * Absent where neither can be done.
   */
  hold?(conn: C, ended: () => void): () => void;
  /** Closes a connection that was pending when its client left or its listener closed. */
  drop(conn: C): R;
}

/** The hooks, whatever the connections are. */
export interface GateHooks {
  /** Called with each refused connection. */
  readonly onRefused?: ((refusal: Refusal, conn: never) => unknown) | undefined;
  /** Receives what another hook, a resolver or the limiter throws or rejects with. */
  readonly onError?: ErrorHook | undefined;
}

/** The gate, as the pending stage sees it. */
export interface GateSide<C, R> {
  readonly port: Port<C, R>;
  readonly limiter: Admitter;
  readonly onError: ErrorHook | undefined;
  /** Admits or refuses a connection. `peer` is the one that the limiter was asked for, if it was asked. */
  decide(conn: C, admission: Admission, peer?: Peer): R;
}
