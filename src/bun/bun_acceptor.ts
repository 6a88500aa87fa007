/**
 * The admitted connections of a Bun listener, which pushes them, for those who ask for one after the other.
 *
 * @module
 */

import { callHook, type RefusalHooks } from "../admission/hooks.ts";
import { OpenConns } from "../admission/open_conns.ts";
import type { Acceptor } from "../conn/acceptor.ts";
import { busy, systemError } from "../conn/deno_errors.ts";
import type { LimitedConn } from "../conn/limited_conn.ts";
import { muteRejections } from "../conn/mute_rejections.ts";
import { Limiter } from "../core/limiter.ts";
import { UNIX_PEER } from "../core/peer.ts";
import type { Refusal, Slot } from "../core/slot.ts";
import {
  type BunListenerLike,
  type BunSocketLike,
  type BunUnixListenerLike,
  closeRefused,
  isTls,
  shadow,
} from "./native.ts";
import { type BunAddr, type BunConn, SocketConn, type UnixAddr } from "./socket_conn.ts";

type Next<A extends BunAddr> = IteratorResult<LimitedConn<BunConn<A>>, undefined>;

/** Listeners that have been taken over. */
const taken = new WeakSet<object>();

/**
 * Admits as connections open, not as they are asked for: those that wait to be asked for are counted, and so there are no
 * more of them than the limits allow.
 */
export class BunAcceptor<A extends BunAddr> implements Acceptor<BunConn<A>, A> {
  readonly addr: A;
  readonly acceptErrors = 0;
  readonly openConns: OpenConns = new OpenConns();
  readonly #native: BunListenerLike | BunUnixListenerLike;
  #limiter: Limiter = new Limiter({ maxPerClient: Infinity });
  #hooks: RefusalHooks<BunConn<A>> = {};
  #limited = false;
  readonly #unix: boolean;
  #tls: boolean | undefined;
  readonly #closed = new AbortController();
  /** In the order of their arrival. A set, since the peer of one in the middle may leave. */
  readonly #queue = new Set<SocketConn<A>>();
  readonly #inOrder: Iterator<SocketConn<A>, undefined> = this.#queue.values();
  #waiting: ((next: Next<A>) => void) | undefined;

  /** @throws {TypeError} If the listener is closed or has been taken over already. */
  constructor(native: BunListenerLike | BunUnixListenerLike) {
    if (taken.has(native)) throw new TypeError("listener must be one that is not limited already");
    this.#native = native;
    this.#unix = isUnix(native);
    this.addr = addrOf(native) as A;
    this.#takeOver();
  }

  /** Whether it has limits. */
  get limited(): boolean {
    return this.#limited;
  }

  /** Gives it limits, which it can be given once. Connections that nobody has asked for yet must pass them too. */
  limit(limiter: Limiter, hooks: RefusalHooks<BunConn<A>>): void {
    this.#limiter = limiter;
    this.#hooks = hooks;
    this.#limited = true;
    for (const conn of this.#queue) {
      const admission = limiter.tryAccept(conn);
      if (admission.admitted) {
        conn.bindSlot(admission, undefined);
      } else {
        this.#queue.delete(conn);
        muteRejections(conn);
        callHook(hooks.onRefused, hooks.onError, admission, conn);
        conn.close();
      }
    }
  }

  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  closedError(): unknown {
    return systemError("BadResource", "Listener has been closed");
  }

  next(): Promise<Next<A>> {
    const conn = this.#first();
    if (conn !== undefined) return Promise.resolve({ done: false, value: conn });
    if (this.closed.aborted) return Promise.resolve({ done: true, value: undefined });
    if (this.#waiting !== undefined) return Promise.reject(busy());
    return new Promise((resolve) => this.#waiting = resolve);
  }

  close(): void {
    if (!this.closed.aborted) this.#native.stop();
  }

  ref(): void {
    this.#native.ref();
  }

  unref(): void {
    this.#native.unref();
  }

  #takeOver(): void {
    const native = this.#native;
    const { stop } = native;
    try {
      native.reload({ socket: this.#handlers() });
    } catch (cause) {
      throw new TypeError("listener must be one that listens", { cause });
    }
    taken.add(native);
    // Whoever stops the listener itself ends the iteration; and nobody must put other handlers in place of these.
    shadow(native, "stop", (closeActiveConnections?: boolean) => {
      stop.call(native, closeActiveConnections);
      this.#stopped();
    });
    shadow(native, Symbol.dispose, () => native.stop(true));
    shadow(native, "reload", () => {
      throw new TypeError("reload() cannot be used on a listener that is limited");
    });
  }

  #handlers(): object {
    const { events } = SocketConn;
    return {
      binaryType: "uint8array",
      open: (socket: BunSocketLike) => this.#open(socket),
      data: (socket: BunSocketLike, chunk: Uint8Array) => pass(events.data, socket, chunk),
      drain: (socket: BunSocketLike) => pass(events.drain, socket),
      end: (socket: BunSocketLike) => pass(events.end, socket),
      error: (socket: BunSocketLike, error: Error) => pass(events.error, socket, error),
      handshake: (socket: BunSocketLike, success: boolean, error: Error | null) =>
        pass(events.handshake, socket, success, error),
      close: (socket: BunSocketLike, error?: Error) => {
        this.#queue.delete(socket.data as SocketConn<A>);
        pass(events.close, socket, error);
      },
    };
  }

  #open(socket: BunSocketLike): void {
    if (this.closed.aborted) return socket.terminate();
    const admission = this.#limiter.tryAccept(this.#unix ? UNIX_PEER : socket);
    if (admission.admitted) this.#admit(socket, admission);
    else this.#refuse(socket, admission);
  }

  #admit(socket: BunSocketLike, slot: Slot): void {
    const conn = this.#connOf(socket);
    conn.bindSlot(slot, this.openConns);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) waiting({ done: false, value: conn });
    else this.#queue.add(conn);
  }

  #refuse(socket: BunSocketLike, refusal: Refusal): void {
    const { onRefused, onError } = this.#hooks;
    if (onRefused !== undefined) {
      const conn = this.#connOf(socket);
      muteRejections(conn);
      callHook(onRefused, onError, refusal, conn);
    }
    closeRefused(socket, this.#isTls(socket));
  }

  #connOf(socket: BunSocketLike): SocketConn<A> {
    const { remoteAddress: hostname = "", remotePort: port = 0 } = socket;
    const remoteAddr: BunAddr = this.#unix ? UNIX_ADDR : { transport: "tcp", hostname, port };
    return socket.data = new SocketConn(socket, remoteAddr as A, this.#isTls(socket));
  }

  /** The same for all its sockets, so asked for once. */
  #isTls(socket: BunSocketLike): boolean {
    return this.#tls ??= isTls(socket);
  }

  #first(): SocketConn<A> | undefined {
    // Asked at the end, it would stay there for good.
    if (this.#queue.size === 0) return undefined;
    const conn = this.#inOrder.next().value!;
    this.#queue.delete(conn);
    return conn;
  }

  #stopped(): void {
    this.#closed.abort();
    for (const conn of this.#queue) conn.close();
    this.#waiting?.({ done: true, value: undefined });
    this.#waiting = undefined;
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
 * Passes an event on to the socket's connection. A socket without one was open before the listener was taken over: it is
 * not counted and nobody hears it, so it is ended.
 */
function pass<A extends unknown[]>(
  event: (conn: SocketConn<BunAddr>, ...args: A) => void,
  socket: BunSocketLike,
  ...args: A
): void {
  if (socket.data instanceof SocketConn) event(socket.data, ...args);
  else socket.terminate();
}
