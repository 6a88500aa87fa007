/**
 * A limiter in front of the handlers of a Bun listener.
 *
 * @module
 */

import type { DeadlineOptions } from "../admission/deadline_options.ts";
import type { EvictionOptions } from "../admission/eviction_options.ts";
import { Evictor } from "../admission/evictor.ts";
import { createGate, type Gate } from "../admission/gate.ts";
import { OPEN_CONN, type OpenConn, type OpenConns } from "../admission/open_conn.ts";
import type { PendingStage } from "../admission/pending_stage.ts";
import type { Admitter, Port } from "../admission/port.ts";
import { type AnswerHooks, RefusalAnswers } from "../admission/refusal_answer.ts";
import { TimedConns } from "../admission/timed_conns.ts";
import type { Peer } from "../core/peer.ts";
import type { Refusal, Slot } from "../core/slot.ts";
import { checkHook } from "../core/validate.ts";
import { allHandlers } from "./all_handlers.ts";
import { type AnsweringConn, answerSocket } from "./answer_socket.ts";
import { callOpen } from "./call_open.ts";
import { cutSocket, writtenBy } from "./cut_socket.ts";
import {
  type BunListenerBase,
  type BunSocketLike,
  bytesOf,
  closeRefused,
  isTls,
  type SocketHandlers,
} from "./native.ts";
import { type Handlers, openLate } from "./open_late.ts";
import { markGuarded, reloadListener, watchListener } from "./reload.ts";
import { peerOfSocket } from "./socket_access.ts";
import { SocketRecord } from "./socket_record.ts";
import { UnreadData } from "./unread_data.ts";
import { type GuardedSocket, upgradeTLS } from "./upgrade_tls.ts";

/** Wraps handlers, and is the port to them. Offers result in whether the handlers may have the socket. */
export class SocketHandlerLimiter implements Port<GuardedSocket, boolean> {
  readonly openConns: OpenConns;
  readonly #offer: Gate<GuardedSocket, boolean>;
  readonly #pending: PendingStage<BunSocketLike> | undefined;
  readonly #answers: RefusalAnswers<BunSocketLike> | undefined;
  readonly #evictor: Evictor<GuardedSocket> | undefined;
  /** The record of all refused sockets that have no other. */
  readonly #refused = new SocketRecord(this, {}, undefined, "refused");
  /** The listener of the last socket, and whether it speaks TLS: asked for once, not for each socket. */
  #listener: BunListenerBase | undefined | null = null;
  #tls = false;

  constructor(
    limiter: Admitter,
    hooks: AnswerHooks<BunSocketLike> & DeadlineOptions<BunSocketLike> & EvictionOptions<BunSocketLike>,
    pending?: PendingStage<BunSocketLike>,
  ) {
    this.openConns = TimedConns.of(hooks, limiter, {
      activityOf: ({ conn }) => writtenBy(conn as GuardedSocket),
      present: ({ conn }) => conn,
      close: ({ conn }) => cutSocket(conn as GuardedSocket),
    }, pending);
    this.#evictor = Evictor.of<GuardedSocket>(hooks, limiter, { close: cutSocket });
    this.#offer = createGate(this, this.#evictor ?? limiter, hooks, pending);
    this.#pending = pending;
    this.#answers = RefusalAnswers.of(hooks);
  }

  /** The handlers with this limiter in front of them. */
  wrap<H extends SocketHandlers>(handlers: H): H {
    const { open, close, drain, handshake, end } = handlers as Handlers;
    // Bun checks the other handlers, and sees ours in place of these.
    for (const [name, handler] of Object.entries({ open, close, data: handlers.data, end, drain, handshake })) {
      checkHook(name, handler ?? undefined);
    }
    const timed = this.openConns instanceof TimedConns;
    const data = timed ? touching(handlers.data) : handlers.data;
    // Bun itself calls `open` after the handshake, unless there is a handler for that.
    const opensLate = handshake == null;

    const wrapped: H = markGuarded(this, handlers, {
      ...allHandlers(handlers),

      open: (socket: GuardedSocket) => {
        if (socket.listener !== this.#listener) this.#meet(socket.listener, isTls(socket), wrapped);
        const handshaking = opensLate && this.#tls;
        const admitted = this.#offer(socket);
        if (admitted === false) return;
        if (admitted !== true) {
          return void admitted.then((admitted) => admitted && openLate(socket, this.#recordOf(socket)!, handlers));
        }
        if (!handshaking) return open?.call(socket, socket);
        this.#recordOf(socket)!.stage = "handshaking";
      },

      // With this handler Bun calls `open` before the handshake.
      handshake: (socket: GuardedSocket, success: boolean, error: unknown) => {
        const record = this.#recordOf(socket);
        if (record?.stage === "refused") return;
        if (record?.stage === "pending") {
          record.handshake = success;
          (record.missed ??= []).push(() => handshake?.call(socket, socket, success, error));
          return socket.pause();
        }
        if (record?.stage === "handshaking" && success) {
          record.stage = "open";
          callOpen(open, socket);
        }
        return handshake?.call(socket, socket, success, error);
      },

      close: (socket: GuardedSocket, error?: unknown) => {
        const record = this.#recordOf(socket);
        socket[OPEN_CONN]?.end();
        record?.left?.();
        record?.answering?.onClose(error as Error | undefined);
        if (record === undefined || record.stage === "open") return close?.call(socket, socket, error);
      },
    });
    const answers = this.#answers !== undefined;
    const late: Handlers = wrapped;
    if (timed) late.data = data!;
    if (this.#pending === undefined && !answers) return wrapped;
    const admitted = (
      socket: GuardedSocket,
      answering: (conn: AnsweringConn) => void,
      call: () => unknown,
      missed = call,
    ) => {
      const record = this.#recordOf(socket);
      if (record?.answering !== undefined) return answering(record.answering);
      return record?.stage === "pending" ? void (record.missed ??= []).push(missed) : call();
    };
    late.data = (socket, chunk) => {
      const record = this.#recordOf(socket);
      if (record?.answering !== undefined) return record.answering.onData(bytesOf(chunk));
      if (record?.stage !== "pending") return data?.call(socket, socket, chunk);
      const { unread } = record;
      unread!.push(socket, chunk);
      (record.missed ??= []).push(() => unread!.deliver((chunk) => data?.call(socket, socket, chunk)));
    };
    if (end != null) {
      late.end = (socket) => {
        this.#recordOf(socket)?.unread?.finish();
        return admitted(socket, (conn) => conn.onEnd(), () => end.call(socket, socket));
      };
    }
    if (drain != null || answers) {
      // Bun calls it after a pause, too.
      late.drain = (socket) => admitted(socket, (conn) => conn.onDrain(), () => drain?.call(socket, socket), () => {});
    }
    return wrapped;
  }

  #meet(listener: BunListenerBase | undefined, tls: boolean, wrapped: object): void {
    this.#listener = listener;
    this.#tls = tls;
    watchListener(listener, wrapped);
  }

  #recordOf(socket: GuardedSocket): SocketRecord | undefined {
    let record = socket[OPEN_CONN];
    while (record !== undefined && (record as SocketRecord).owner !== this) record = record.under;
    return record as SocketRecord | undefined;
  }

  recordOf(socket: GuardedSocket): OpenConn | undefined {
    return socket[OPEN_CONN];
  }

  peerOf: (socket: GuardedSocket) => Peer = peerOfSocket;

  admit(socket: GuardedSocket, slot: Slot): boolean {
    const record = this.#recordOf(socket) ?? new SocketRecord(this, socket, socket[OPEN_CONN], "open");
    record.stage = "open";
    record.left = undefined;
    socket[OPEN_CONN] = record;
    this.#evictor?.enter(slot, socket);
    record.hold(slot, this.openConns);
    socket.reload = reloadListener;
    socket.upgradeTLS = upgradeTLS;
    return true;
  }

  /** Marks a refused socket before the hook may close it, which calls the other handlers. */
  present(socket: GuardedSocket): GuardedSocket {
    const record = this.#recordOf(socket);
    if (record !== undefined) record.stage = "refused";
    else {
      const under = socket[OPEN_CONN];
      socket[OPEN_CONN] = under === undefined ? this.#refused : new SocketRecord(this, socket, under, "refused");
    }
    return socket;
  }

  /** Gives a refused socket a record of its own, which keeps what answers its client. */
  readonly #presentAnswered = (socket: GuardedSocket): GuardedSocket => {
    if (this.present(socket)[OPEN_CONN] === this.#refused) {
      socket[OPEN_CONN] = new SocketRecord(this, socket, undefined, "refused");
    }
    return socket;
  };

  refuse(socket: GuardedSocket, refusal: Refusal): boolean {
    // The last socket may have been another listener's meanwhile.
    const tls = this.#pending === undefined ? this.#tls : isTls(socket);
    const answer = tls ? undefined : this.#answers?.take(refusal, socket, this.#presentAnswered);
    if (answer === undefined) closeRefused(this.present(socket), tls);
    else this.#recordOf(socket)!.answering = answerSocket(socket, answer, this.#answers!.writeDeadline);
    return false;
  }

  /** Over TLS the socket has to flow for its handshake, which pauses it then. */
  hold(socket: GuardedSocket, ended: () => void): () => void {
    const record = new SocketRecord(this, socket, socket[OPEN_CONN], "pending");
    record.left = ended;
    record.unread = new UnreadData(this.#pending!.reads);
    socket[OPEN_CONN] = record;
    if (!this.#tls && !record.unread.flowing) socket.pause();
    return () => record.left = undefined;
  }

  drop(socket: GuardedSocket): boolean {
    socket.terminate();
    return false;
  }
}

/** A handler that notes that data has arrived. */
function touching(data: SocketHandlers["data"]): NonNullable<SocketHandlers["data"]> {
  return function (socket: GuardedSocket, chunk: unknown) {
    socket[OPEN_CONN]?.touch(true);
    return data?.call(socket, socket, chunk);
  };
}
