/**
 * What the gate needs of an adapter, and of whoever decides.
 *
 * @module
 */

import type { Counts } from "../core/counts.ts";
import type { Peer } from "../core/peer.ts";
import type { Admission, Refusal, Slot } from "../core/slot.ts";

/** Something, at once or later. */
export type Awaitable<T> = T | PromiseLike<T>;

/** Decides on connections: a `Limiter` at once, others after they have asked elsewhere. */
export interface Admitter {
  /** Admits a connection or says why not. */
  tryAccept(peer: Peer): Awaitable<Admission>;
}

/**
 * What an adapter does with accepted connections. There is one port for each listener or server, so that a connection costs
 * no object.
 *
 * @typeParam C The connections.
 * @typeParam R The adapter's own result of an offer.
 */
export interface Port<C, R> {
  /** Names the peer of a connection. */
  peerOf(conn: C): Peer;
  /** Takes an admitted connection, and releases `slot` when it closes. */
  admit(conn: C, slot: Slot): R;
  /** Readies a refused connection for `onRefused`. Returns what the hook is called with. */
  present(conn: C): unknown;
  /** Answers or closes a refused connection. */
  refuse(conn: C, refusal: Refusal): R;
  /** Keeps a pending connection from being read or served. Returns what ends that. Calls `ended` when its client leaves. */
  hold(conn: C, ended: () => void): () => void;
  /** Closes a connection that was pending when its client left or its listener closed. */
  drop(conn: C): R;
}

/** The gate, as the pending stage sees it. */
export interface GateSide<C, R> {
  readonly port: Port<C, R>;
  /** The counters of the limiter, where they are known. */
  readonly counts: Counts | undefined;
  /** Asks the limiter. */
  ask(peer: Peer): Awaitable<Admission>;
  /** Admits or refuses a connection. */
  decide(conn: C, admission: Admission): R;
  /** Refuses a connection. */
  refuse(conn: C, refusal: Refusal): R;
  /** Reports what a resolver or a limiter has thrown or rejected with. */
  report(error: unknown): void;
}
