/**
 * The acceptor of a Bun listener, which pushes its connections.
 *
 * @module
 */

import { Gate } from "../admission/gate.ts";
import type { RefusalHooks } from "../admission/hooks.ts";
import { OpenConn, OpenConns, type Recorded } from "../admission/open_conn.ts";
import type { PendingStage } from "../admission/pending_stage.ts";
import type { Admitter, Port } from "../admission/port.ts";
import type { Acceptor } from "../conn/acceptor.ts";
import type { LimitedConn } from "../conn/limited_conn.ts";
import { muteRejections } from "../conn/mute_rejections.ts";
import { ReadyQueue } from "../conn/ready_queue.ts";
import { type Peer, UNIX_PEER } from "../core/peer.ts";
import type { Slot } from "../core/slot.ts";
import {
  type BunListenerLike,
  type BunSocketLike,
  type BunUnixListenerLike,
  closeRefused,
  isTls,
  shadow,
} from "./native.ts";
import { type BunAddr, type BunConn, SocketConn, type UnixAddr } from "./socket_conn.ts";

/** Listeners that have been taken over. */
const taken = new WeakSet<object>();

/**
 * Admits as connections open, not as they are asked for. Those that wait to be asked for hold slots, so the limits bound
 * them.
 */
export class BunAcceptor<A extends BunAddr> implements Acceptor<BunConn<A>, A>, Port<BunSocketLike, void> {
  readonly addr: A;
  /** Bun reports no failed accepts. */
  readonly acceptErrors = 0;
  readonly openConns: OpenConns = new OpenConns();
  readonly native: BunListenerLike | BunUnixListenerLike;
  /** Absent while it has no limits. */
  #gate: Gate<BunSocketLike, void> | undefined;
  #pending: PendingStage<BunSocketLike> | undefined;
  readonly #ready = new ReadyQueue<SocketConn<A>>();
  readonly #end = new AbortController();
  readonly closed: AbortSignal = this.#end.signal;
  readonly #unix: boolean;
  #tls: boolean | undefined;

  /** @throws {TypeError} If the listener is closed or has been taken over already. */
  constructor(native: BunListenerLike | BunUnixListenerLike) {
    if (taken.has(native)) throw new TypeError("listener must be one that is not limited already");
    this.native = native;
    this.#unix = isUnix(native);
    this.addr = addrOf(native) as A;
    this.#takeOver();
  }

  /** Whether it has limits. */
  get limited(): boolean {
    return this.#gate !== undefined;
  }

  /** Gives it limits, which it can be given once. Connections that nobody has asked for yet must pass them too. */
  limit(limiter: Admitter, hooks: RefusalHooks<BunConn<A>>, pending?: PendingStage<BunSocketLike>): void {
    const gate = this.#gate = new Gate(this, limiter, hooks, pending);
    this.#pending = pending;
    for (const conn of this.#ready.clear()) conn.passSocketTo((socket) => gate.offer(socket));
  }

  next(): Promise<IteratorResult<LimitedConn<BunConn<A>>, undefined>> {
    return this.#ready.next();
  }

  close(): void {
    if (!this.closed.aborted) this.native.stop();
  }

  #takeOver(): void {
    const native = this.native;
    const { stop } = native;
    try {
      native.reload({ socket: this.#handlers() });
    } catch (cause) {
      throw new TypeError("listener must be one that listens", { cause });
    }
    taken.add(native);
    // A stop of the listener itself ends the iteration. Other handlers would put an end to the limits.
    shadow(native, "stop", (closeActiveConnections?: boolean) => {
      stop.call(native, closeActiveConnections);
      this.#stopped();
    });
    shadow(native, Symbol.dispose, () => native.stop(true));
    shadow(native, "reload", () => {
      throw new TypeError("reload() cannot be used on a listener that is limited");
    });
  }

  #stopped(): void {
    this.#end.abort();
    this.#pending?.close();
    for (const conn of this.#ready.clear()) conn.close();
    this.#ready.end();
  }

  #handlers(): object {
    return {
      binaryType: "uint8array",
      open: (socket: BunSocketLike) => this.#open(socket),
      data: (socket: BunSocketLike, chunk: Uint8Array) => connOf(socket)?.onData(chunk),
      drain: (socket: BunSocketLike) => connOf(socket)?.onDrain(),
      end: (socket: BunSocketLike) => connOf(socket)?.onEnd(),
      error: (socket: BunSocketLike, error: Error) => connOf(socket)?.onError(error),
      handshake: (socket: BunSocketLike, success: boolean, error: Error | null) =>
        connOf(socket)?.onHandshake(success, error),
      close: (socket: BunSocketLike, error?: Error) => {
        this.#ready.delete(socket.data as SocketConn<A>);
        connOf(socket)?.onClose(error);
      },
    };
  }

  #open(socket: BunSocketLike): void {
    if (this.closed.aborted) return socket.terminate();
    if (this.#gate === undefined) this.admit(socket, undefined);
    else this.#gate.offer(socket);
  }

  peerOf(socket: BunSocketLike): Peer {
    return this.#unix ? UNIX_PEER : socket;
  }

  admit(socket: BunSocketLike, slot: Slot | undefined): void {
    const conn = this.#connOf(socket);
    OpenConn.bind(conn as Recorded, slot, this.openConns);
    this.#ready.push(conn);
  }

  present(socket: BunSocketLike): BunConn<A> {
    const conn = this.#connOf(socket);
    muteRejections(conn);
    return conn;
  }

  refuse(socket: BunSocketLike): void {
    closeRefused(socket, this.#isTls(socket));
  }

  hold(socket: BunSocketLike, ended: () => void): () => void {
    const conn = this.#connOf(socket);
    conn.onClosed = ended;
    return () => conn.onClosed = undefined;
  }

  drop(socket: BunSocketLike): void {
    socket.terminate();
  }

  /** The connection over a socket, which makes it on the first call. */
  #connOf(socket: BunSocketLike): SocketConn<A> {
    if (!(socket.data instanceof SocketConn)) {
      const { remoteAddress: hostname = "", remotePort: port = 0 } = socket;
      const remoteAddr: BunAddr = this.#unix ? UNIX_ADDR : { transport: "tcp", hostname, port };
      socket.data = new SocketConn(socket, remoteAddr, this.#isTls(socket));
    }
    return socket.data as SocketConn<A>;
  }

  /** The same for all its sockets, so asked for once. */
  #isTls(socket: BunSocketLike): boolean {
    return this.#tls ??= isTls(socket);
  }
}

/** The addresses of the peers of Unix sockets: they have none. */
const UNIX_ADDR: UnixAddr = { transport: "unix", path: null };

function isUnix(native: BunListenerLike | BunUnixListenerLike): native is BunUnixListenerLike {
  return (native as Partial<BunUnixListenerLike>).unix !== undefined;
}

function addrOf(native: BunListenerLike | BunUnixListenerLike): BunAddr {
  if (isUnix(native)) return { transport: "unix", path: native.unix };
  return { transport: "tcp", hostname: native.hostname, port: native.port };
}

/**
 * The connection that hears of an event. A socket without one was open before the listener was taken over, or is refused:
 * nobody counts it or reads it, so it is closed.
 */
function connOf(socket: BunSocketLike): SocketConn<BunAddr> | undefined {
  if (socket.data instanceof SocketConn) return socket.data;
  socket.terminate();
}
