/**
 * The acceptor of a Bun listener, which pushes its connections.
 *
 * @module
 */

import { printOnce } from "../admission/checks.ts";
import type { ConnAccess } from "../admission/client_finder.ts";
import type { DeadlineOptions } from "../admission/deadline_options.ts";
import type { EvictionOptions } from "../admission/eviction_options.ts";
import { Evictor } from "../admission/evictor.ts";
import { createGate, type Gate } from "../admission/gate.ts";
import { callHook, type ErrorHook } from "../admission/hooks.ts";
import { OPEN_CONN, OpenConn, OpenConns, type Recorded } from "../admission/open_conn.ts";
import type { PendingStage } from "../admission/pending_stage.ts";
import type { Admitter, Port } from "../admission/port.ts";
import { type AnswerHooks, RefusalAnswers } from "../admission/refusal_answer.ts";
import { TimedConns } from "../admission/timed_conns.ts";
import type { Acceptor } from "../conn/acceptor.ts";
import { muteRejections } from "../conn/mute_rejections.ts";
import { ReadyQueue } from "../conn/ready_queue.ts";
import { sendAnswer } from "../conn/send_answer.ts";
import { watchBytes } from "../conn/watch_bytes.ts";
import { UNIX_PEER } from "../core/peer.ts";
import type { Slot } from "../core/slot.ts";
import { addrOf, isUnix, remoteAddrOf } from "./addr_of.ts";
import type { BunAddr, BunConn } from "./bun_conn.ts";
import { connHandlers } from "./conn_handlers.ts";
import {
  type BunListenerLike,
  type BunSocketLike,
  type BunUnixListenerLike,
  closeRefused,
  isTls,
  shadow,
} from "./native.ts";
import { SocketConn } from "./socket_conn.ts";
import { SocketTraits } from "./socket_traits.ts";

/** The acceptor of a Bun listener, which can be given limits later. */
export interface BunAcceptor<A extends BunAddr> extends Acceptor<BunConn<A>, A> {
  /** The access of finders to its sockets. */
  readonly access: ConnAccess<BunSocketLike>;
  /** Whether it has limits. */
  readonly limited: boolean;
  /** Sets the limits, once. Queued connections must pass them, too. */
  limit(
    limiter: Admitter,
    hooks: AnswerHooks<BunConn<A>> & DeadlineOptions<BunConn<A>> & EvictionOptions<BunConn<A>, "wait">,
    pending?: PendingStage<BunSocketLike>,
  ): void;
}

/** Listeners that have been taken over. */
const taken = new WeakSet<object>();

/**
 * Admits connections as they open, not as the consumer asks for them. Queued connections hold slots, so the limits bound
 * the queue.
 *
 * @param halfOpen Whether the listener is known to have `allowHalfOpen`.
 * @param speaksTls Whether the listener is known to speak TLS.
 * @throws {TypeError} If the listener is closed or has been taken over already.
 */
export function bunAcceptor<A extends BunAddr>(
  native: BunListenerLike | BunUnixListenerLike,
  halfOpen = false,
  speaksTls = false,
): BunAcceptor<A> {
  if (taken.has(native)) throw new TypeError("listener must be one that is not limited already");
  let openConns = new OpenConns();
  let timed = false;
  const answering = new OpenConns();
  const ready = new ReadyQueue<SocketConn<A>>();
  const end = new AbortController();
  const closed = end.signal;
  const unix = isUnix(native);
  const addr = addrOf(native) as A;
  let traits: SocketTraits | undefined;
  let onError: ErrorHook | undefined;
  let offer: Gate<BunSocketLike, void> | undefined;
  let answers: RefusalAnswers<BunConn<A>> | undefined;
  let pendingStage: PendingStage<BunSocketLike> | undefined;
  let evictor: Evictor<BunSocketLike> | undefined;

  /** What all sockets have in common. The first one shows whether they speak TLS. */
  const traitsOf = (socket: BunSocketLike) => traits ??= new SocketTraits(isTls(socket), halfOpen, onAnswerLost);
  const onAnswerLost = (error: Error) => {
    if (onError === undefined) printOnce(native, "answer-lost", error);
    else callHook(onError, undefined, error);
  };

  /** The connection over a socket. The first call creates it. */
  const connOver = (socket: BunSocketLike): SocketConn<A> => {
    if (!(socket.data instanceof SocketConn)) {
      socket.data = new SocketConn<BunAddr>(socket, remoteAddrOf(socket, unix), traitsOf(socket));
    }
    return socket.data as SocketConn<A>;
  };

  const admit = (socket: BunSocketLike, slot: Slot | undefined) => {
    const conn = connOver(socket);
    if (slot !== undefined) evictor?.enter(slot, socket);
    OpenConn.bind(conn as Recorded, slot, openConns);
    if (timed) {
      watchBytes(conn);
      // What came behind a proxy's header.
      if (conn.hasUnread) (conn as Recorded)[OPEN_CONN]!.touch(true);
    }
    ready.push(conn);
  };

  const port: Port<BunSocketLike, void> = {
    peerOf: (socket) => unix ? UNIX_PEER : socket,

    admit,

    present: (socket) => muteRejections(connOver(socket)),

    presentAdmitted: connOver,

    refuse(socket, refusal) {
      const { tls } = traitsOf(socket);
      if (answers !== undefined && !tls) {
        const answer = answers.take(refusal, socket, port.present as (socket: BunSocketLike) => BunConn<A>);
        if (answer !== undefined) {
          const conn = connOver(socket);
          return sendAnswer(conn, answer, answers.writeDeadline, () => conn.close(), answering);
        }
      }
      closeRefused(socket, tls);
    },

    drop(socket) {
      socket.terminate();
    },

    hold(socket, ended) {
      const conn = connOver(socket);
      conn.onClosed = ended;
      return () => conn.onClosed = undefined;
    },
  };

  const access: ConnAccess<BunSocketLike> = {
    tls: speaksTls,
    peerOf: port.peerOf,
    objectOf: connOver,
    isTls: (socket) => traitsOf(socket).tls,
    read: (socket, buffer) => connOver(socket).read(buffer),
    show: (socket, hostname, port) => connOver(socket).show({ transport: "tcp", hostname, port } as A),
  };

  const open = (socket: BunSocketLike) => {
    if (closed.aborted) socket.terminate();
    else if (offer === undefined) admit(socket, undefined);
    else offer(socket);
  };

  const { stop } = native;
  try {
    native.reload({ socket: connHandlers(open, (conn) => ready.delete(conn as SocketConn<A>)) });
  } catch (cause) {
    throw new TypeError("listener must be one that listens", { cause });
  }
  taken.add(native);
  // `stop()` on the native listener must end the iteration. Other handlers would remove the limits.
  shadow(native, "stop", (closeActiveConnections?: boolean) => {
    stop.call(native, closeActiveConnections);
    end.abort();
    pendingStage?.close();
    for (const conn of ready.clear()) conn.close();
    ready.end();
  });
  shadow(native, Symbol.dispose, () => native.stop(true));
  shadow(native, "reload", () => {
    throw new TypeError("reload() cannot be used on a listener that is limited");
  });

  return {
    native,
    access,
    answering,
    closed,
    addr,
    // Bun reports no failed accepts.
    acceptErrors: 0,

    get openConns() {
      return openConns;
    },

    get limited() {
      return offer !== undefined;
    },

    limit(limiter, hooks, pending) {
      pendingStage = pending;
      answers = RefusalAnswers.of(hooks);
      onError = hooks.onError;
      const early = openConns;
      const list = TimedConns.of(hooks, limiter, {
        present: ({ conn }) => muteRejections(conn as SocketConn<A>),
        close: ({ conn }) => (conn as SocketConn<A>).cut(),
      }, pending);
      timed = list instanceof TimedConns;
      if (timed) openConns = list;
      evictor = Evictor.of(hooks as EvictionOptions<never>, limiter, {
        present: (socket) => muteRejections(connOver(socket)),
        close: (socket) => connOver(socket).cut(),
      });
      const gate = offer = createGate(port, evictor ?? limiter, hooks, pending);
      for (const conn of ready.clear()) {
        if (timed) forget(conn as Recorded);
        conn.withSocket(gate);
      }
      if (list instanceof TimedConns) list.adopt(early);
    },

    next: () => ready.next(),

    close() {
      if (!closed.aborted) native.stop();
    },

    reset: (conn) => (conn as SocketConn<A>).reset(),
  };
}

/** Ends the record of a connection that is to be admitted once more, and is in another list then. */
function forget(conn: Recorded): void {
  conn[OPEN_CONN]!.endAlone();
  conn[OPEN_CONN] = undefined;
}
