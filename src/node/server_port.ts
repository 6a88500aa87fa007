/**
 * One limiter in front of one server.
 *
 * @module
 */

import type { ClientFinder } from "../admission/client_finder.ts";
import type { DeadlineOptions } from "../admission/deadline_options.ts";
import type { EvictionOptions } from "../admission/eviction_options.ts";
import { type EvictionPort, Evictor } from "../admission/evictor.ts";
import { createGate, type Gate } from "../admission/gate.ts";
import { OPEN_CONN, type OpenConn, type Recorded } from "../admission/open_conn.ts";
import type { PendingStage } from "../admission/pending_stage.ts";
import type { Admitter, Port } from "../admission/port.ts";
import { type AnswerHooks, RefusalAnswers } from "../admission/refusal_answer.ts";
import type { Peer } from "../core/peer.ts";
import type { Refusal, Slot } from "../core/slot.ts";
import { answerSocket } from "./answer_socket.ts";
import { type RawSocket, underTls } from "./descriptor.ts";
import { closeInTurn } from "./refused_sockets.ts";
import { peerOfSocket } from "./server_access.ts";
import { ServerConn, ServerConns, type ServerConnSocket } from "./server_conns.ts";
import { ServerDeadlines } from "./server_deadlines.ts";
import type { ServerLike, ServerSocket } from "./server_like.ts";
import { ServerProxyCheck } from "./server_proxy_check.ts";
import { closeSocket, secureOf } from "./socket_activity.ts";
import { http2Sockets } from "./too_many_connections.ts";

/**
 * The options of `limitServer()`. On servers of HTTP, `idleTimeout` and `maxAge` are for upgraded sockets, from the upgrade
 * on, and for connections of HTTP/2 without streams in flight.
 *
 * @typeParam S The server's sockets.
 */
export interface LimitServerOptions<S = ServerSocket> extends AnswerHooks<S>, DeadlineOptions<S>, EvictionOptions<S> {
  /**
   * Finds the client of each connection behind a proxy: `proxyProtocol()` of `./proxy`. The socket's `remoteAddress` is then
   * the client's. With TLS, the proxy's header comes before the handshake. On Bun, for servers of `node:net` only.
   *
   * @default the peer is the client
   */
  readonly client?: ClientFinder;
}

/** The port of one limiter on one server. Offers result in whether the server may have the socket. */
export class ServerPort implements Port<ServerSocket, boolean> {
  readonly limiter: Admitter;
  readonly offer: Gate<ServerSocket, boolean>;
  readonly openConns: ServerConns;
  readonly #server: ServerLike;
  readonly #answers: RefusalAnswers<ServerSocket> | undefined;
  readonly #evictor: Evictor<ServerSocket> | undefined;
  /** Absent where the clients behind proxies are known. */
  readonly #proxies: ServerProxyCheck | undefined;
  readonly #tls: boolean;
  readonly #http2: boolean;
  readonly #closesInTurn: boolean;

  constructor(
    server: ServerLike,
    limiter: Admitter,
    options: LimitServerOptions,
    pending?: PendingStage<ServerSocket>,
  ) {
    this.limiter = limiter;
    this.openConns = new ServerConns(limiter, ServerDeadlines.of(options, server, limiter, pending));
    this.#server = server;
    this.#answers = RefusalAnswers.of(options);
    if (options.client === undefined) this.#proxies = new ServerProxyCheck(server, this.openConns, options.onError);
    // Bun's https servers lack this method; their sockets have `encrypted`.
    this.#tls = "setSecureContext" in server;
    this.#http2 = "updateSettings" in server;
    // Bun's http servers, which lack this property, would go on to emit the request of a socket that is not closed yet.
    this.#closesInTurn = "Bun" in globalThis && "pauseOnConnect" in server && !this.#tls;
    this.#evictor = Evictor.of<ServerSocket>(options, limiter, EVICTION);
    this.offer = createGate(this, this.#evictor ?? limiter, options, pending);
  }

  /** Whether it must know what the server's events say about sockets. */
  get needsEvents(): boolean {
    return this.openConns.deadlines !== undefined || this.#evictor !== undefined;
  }

  /** Also for a TLS socket over one that was admitted, as a server makes it that passes its sockets on. */
  recordOf(socket: Recorded & RawSocket): OpenConn | undefined {
    const record = socket[OPEN_CONN];
    return record !== undefined || socket._parent == null ? record : underTls(socket)[OPEN_CONN];
  }

  peerOf(socket: ServerSocket): Peer {
    return peerOfSocket(socket, this.#server);
  }

  admit(socket: ServerSocket, slot: Slot): boolean {
    // A socket that was closed before it was handed over will not close again.
    if (socket.destroyed) {
      slot.release();
    } else {
      this.#evictor?.enter(slot, socket);
      bindSlot(socket, slot, this.openConns);
    }
    return true;
  }

  readonly present = (socket: ServerSocket): ServerSocket => {
    if (this.#http2) http2Sockets.add(socket);
    // A hook may write to the socket. The error of a failed write must not end the process.
    socket.on("error", ignore);
    return socket;
  };

  refuse(socket: ServerSocket, refusal: Refusal): boolean {
    if (refusal.reason === "client") this.#proxies?.refused(socket);
    if (this.#answers !== undefined && this.#isAnswered(this.#answers, socket, refusal)) return false;
    if (!this.#closesInTurn) return this.drop(socket);
    closeInTurn(socket);
    return false;
  }

  /**
   * Node reads a socket into a bounded buffer, and delivers the buffer to listeners that are added later. A socket that was
   * passed on may flow already, or start to, and would lose its data.
   */
  hold(socket: ServerSocket, ended: () => void): () => void {
    socket.on("error", ignore);
    socket.on("close", ended);
    // It is emitted here only where the client has said nothing. Nobody would hear of it later, and the socket stay open.
    socket.on("end", ended);
    const own = Object.hasOwn(socket, "resume");
    const { resume } = socket;
    let flows = socket.readableFlowing === true;
    if (flows) socket.pause?.();
    socket.resume = () => {
      flows = true;
      return socket;
    };
    return () => {
      socket.off("close", ended);
      socket.off("end", ended);
      if (own) socket.resume = resume;
      else Reflect.deleteProperty(socket, "resume");
      if (flows) socket.resume();
      if (!socket.destroyed) socket.off("error", ignore);
    };
  }

  /** Destroys a socket, which releases the slots that it has from other limiters. */
  drop(socket: ServerSocket): boolean {
    if (socket.encrypted) refusedTls.add(socket);
    socket.destroy();
    return false;
  }

  /** Whether the socket is being answered, and then closes by itself. */
  #isAnswered(answers: RefusalAnswers<ServerSocket>, socket: ServerSocket, refusal: Refusal): boolean {
    if (socket.destroyed || this.#tls || isBeforeHandshake(socket)) return false;
    const answer = answers.take(refusal, socket, this.present);
    if (answer === undefined) return false;
    try {
      answerSocket(socket, answer, answers.writeDeadline);
      return true;
    } catch (error) {
      answers.fail(error);
      return false;
    }
  }
}

/** Whether a socket is one of TLS that is still to shake hands. One of Bun's own `https` servers counts as such. */
function isBeforeHandshake({ encrypted, alpnProtocol = null }: ServerSocket): boolean {
  return encrypted === true && alpnProtocol === null;
}

/** How sockets are closed in favour of others. With TLS, hooks are to talk through it. */
const EVICTION: EvictionPort<ServerSocket & Recorded> = {
  present: (socket) => secureOf(socket) ?? socket,
  close(socket) {
    closeSocket(socket);
    // "close" comes later, when the newcomer has long been refused. The descriptor is closed already.
    socket[OPEN_CONN]?.end();
  },
};

/** Refused TLS sockets. Bun's servers emit `"tlsClientError"` for them, which the gate suppresses. */
const refusedTls = new WeakSet<object>();

/** Whether a TLS socket has been refused. */
export function isRefusedTls(socket: object | undefined): boolean {
  return socket !== undefined && refusedTls.has(socket);
}

function ignore(): void {}

const REMOVE_ALL: unique symbol = Symbol("connlimit.removeAllListeners");

interface BoundSocket extends ServerSocket, ServerConnSocket {
  readonly destroyed: boolean;
  readonly remoteAddress?: string | undefined;
}

/** A socket, or what else ends with `"close"`. */
interface Bound extends Pick<ServerSocket, "on" | "off">, Recorded {
  removeAllListeners(...events: unknown[]): unknown;
  /** The method that `removeOthers` replaces. */
  [REMOVE_ALL]?: Bound["removeAllListeners"];
}

/** Releases a slot when its socket closes. */
function bindSlot(socket: BoundSocket & Bound, slot: Slot, openConns: ServerConns): void {
  const record = new ServerConn(socket);
  socket[OPEN_CONN] = record;
  record.hold(slot, openConns);
  if (record.under === undefined) endWithClose(socket);
}

/** Ends the records of an emitter when it closes. All share these functions, which cost less than closures. */
export function endWithClose(emitter: Bound): void {
  emitter[REMOVE_ALL] = emitter.removeAllListeners;
  emitter.on("close", endRecord);
  emitter.removeAllListeners = removeOthers;
}

function endRecord(this: Bound): void {
  this[OPEN_CONN]!.end();
}

/** A server that passes a socket on may remove all listeners. The library's listener stays. */
function removeOthers(this: Bound, ...events: unknown[]): Bound {
  Reflect.apply(this[REMOVE_ALL]!, this, events);
  this.off("close", endRecord);
  this.on("close", endRecord);
  return this;
}
