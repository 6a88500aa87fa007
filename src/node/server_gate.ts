/**
 * The gate of a server: what stands between it and its connections.
 *
 * @module
 */

import { callHook, hookFailed, type RefusalHooks } from "../admission/hooks.ts";
import type { Limiter } from "../core/limiter.ts";
import { type Peer, UNIX_PEER } from "../core/peer.ts";
import type { Refusal, Slot } from "../core/slot.ts";

/** The server that is to be limited: one of `node:net`, `node:tls`, `node:http`, `node:https` or `node:http2`. */
export interface ServerLike {
  /** How it announces its connections, by the event `"connection"`. */
  // deno-lint-ignore no-explicit-any
  emit(event: any, ...args: any[]): boolean;
  /** Where it listens: a text for a Unix socket. */
  address(): unknown;
  /** Starts listening. */
  // deno-lint-ignore no-explicit-any
  listen(...args: any[]): unknown;
}

/** A socket of such a server; every `net.Socket` is one. */
export interface ServerSocket {
  /** The peer's IP address. */
  readonly remoteAddress?: string | undefined;
  /** Set where it is a socket of TLS. */
  readonly encrypted?: boolean;
  /** Whether it has been closed. */
  readonly destroyed: boolean;
  /** Listens for the socket's events. */
  // deno-lint-ignore no-explicit-any
  on(event: any, listener: (...args: any[]) => void): unknown;
  /** Takes a listener away. */
  // deno-lint-ignore no-explicit-any
  off(event: any, listener: (...args: any[]) => void): unknown;
  /** Takes all listeners away, or those of an event. */
  // deno-lint-ignore no-explicit-any
  removeAllListeners(...events: any[]): this;
  /** Reads, and drops what nobody listens for. */
  resume(): unknown;
  /** Closes the socket when the text has been sent. */
  end(text: string): unknown;
  /** Closes the socket at once. */
  destroy(): unknown;
}

/**
 * Stands between a server and its `"connection"` event. A listener, even the first, could not keep the event from the
 * others; so the gate takes the place of the server's `emit`. There is one for each server, however many limiters it has
 * and however often they come and go.
 */
export class ServerGate {
  readonly #server: ServerLike;
  /** Replaced, never changed: an admission under way goes on with those it began with. */
  #limiters: readonly ServerLimiter[] = [];

  constructor(server: ServerLike) {
    this.#server = server;
    const { emit } = server;
    const admit = (socket: ServerSocket) => this.#admit(socket);
    server.emit = function (event: unknown, first: ServerSocket, second: object): boolean {
      if (event === "connection" && !admit(first)) return true;
      if (event === "tlsClientError" && refusedTls.has(second)) return true;
      // As many as there are, without making an array for each event.
      return Reflect.apply(emit, this, arguments);
    };
  }

  /** @throws {TypeError} For a limiter that is at the gate already. */
  add(serverLimiter: ServerLimiter): void {
    if (this.#limiters.some(({ limiter }) => limiter === serverLimiter.limiter)) {
      throw new TypeError("limiter must be one that the server does not have already");
    }
    this.#limiters = [...this.#limiters, serverLimiter];
  }

  remove(serverLimiter: ServerLimiter): void {
    this.#limiters = this.#limiters.filter((other) => other !== serverLimiter);
  }

  #admit(socket: ServerSocket): boolean {
    const limiters = this.#limiters;
    if (limiters.length === 0) return true;
    const peer = this.#peer(socket);
    for (const serverLimiter of limiters) {
      if (!serverLimiter.admit(socket, peer)) return false;
    }
    return true;
  }

  #peer({ remoteAddress }: ServerSocket): Peer {
    if (remoteAddress !== undefined) return remoteAddress;
    return typeof this.#server.address() === "string" ? UNIX_PEER : UNKNOWN_PEER;
  }
}

/** What has no address, most often because it was reset before it was accepted. */
const UNKNOWN_PEER: Peer = {};

/** Refused sockets of whose handshake nobody shall hear: on Bun a TLS server tells that it failed. */
const refusedTls = new WeakSet<object>();

/**
 * Answers a refused socket and closes it, also where its client takes nothing. Returns `false` to leave the socket to be
 * closed without an answer.
 *
 * @typeParam S The server's sockets.
 */
export type SocketAnswer<S> = (refusal: Refusal, socket: S) => boolean;

/**
 * The options of `limitServer()`.
 *
 * @typeParam S The server's sockets.
 */
export interface LimitServerOptions<S = ServerSocket> extends RefusalHooks<S> {
  /**
   * Answers refused clients before their connections are closed; {@linkcode tooManyConnections} makes one for HTTP. It is
   * called after `onRefused`. It is not called over TLS, where an answer would need a handshake first. What it throws goes
   * to `onError`, and the connection is closed.
   *
   * @default none: refused connections are closed without a word
   */
  readonly answer?: SocketAnswer<S>;
}

/** One limiter at a gate. */
export class ServerLimiter {
  readonly limiter: Limiter;
  readonly #options: LimitServerOptions;
  readonly #tls: boolean;

  constructor(server: ServerLike, limiter: Limiter, options: LimitServerOptions) {
    this.limiter = limiter;
    this.#options = options;
    // Bun's https servers lack it, but their sockets tell.
    this.#tls = "setSecureContext" in server;
  }

  /** Admits a socket until it closes, or destroys it, which frees the slots that it has from other limiters. */
  admit(socket: ServerSocket, peer: Peer): boolean {
    const admission = this.limiter.tryAccept(peer);
    if (admission.admitted) {
      releaseOnClose(socket, admission);
      return true;
    }
    const { onRefused, answer, onError } = this.#options;
    // Whatever hook and answer do to the socket, an error that nobody listens for must not end the process.
    if (onRefused !== undefined || answer !== undefined) socket.on("error", ignore);
    callHook(onRefused, onError, admission, socket);
    if (answer !== undefined && this.#isAnswered(answer, admission, socket)) return false;
    if (socket.encrypted) refusedTls.add(socket);
    socket.destroy();
    return false;
  }

  /** Whether the socket is being answered, and then closes by itself. */
  #isAnswered(answer: SocketAnswer<ServerSocket>, refusal: Refusal, socket: ServerSocket): boolean {
    if (socket.destroyed || this.#tls || socket.encrypted) return false;
    try {
      return answer(refusal, socket);
    } catch (error) {
      hookFailed(answer, this.#options.onError, error);
      return false;
    }
  }
}

function ignore(): void {}

/** By this name a socket has what it holds. */
const HELD: unique symbol = Symbol("connlimit.held");

interface HoldingSocket extends ServerSocket {
  [HELD]?: Held;
}

/** The slots of a socket, one for each limiter, and the method that ours stands in front of. */
interface Held {
  readonly slots: Slot[];
  readonly removeAllListeners: ServerSocket["removeAllListeners"];
}

/** Releases a slot when its socket closes. Functions that all sockets share cost less than closures for each. */
function releaseOnClose(socket: HoldingSocket, slot: Slot): void {
  // One that was closed before it was handed over will not close again.
  if (socket.destroyed) return slot.release();
  const held = socket[HELD];
  if (held !== undefined) return void held.slots.push(slot);
  socket[HELD] = { slots: [slot], removeAllListeners: socket.removeAllListeners };
  socket.on("close", releaseAll);
  socket.removeAllListeners = removeOthers;
}

function releaseAll(this: HoldingSocket): void {
  for (const slot of this[HELD]!.slots) slot.release();
}

/** Whoever passes a socket on takes all listeners away, but ours stays. */
function removeOthers(this: HoldingSocket, ...events: unknown[]): HoldingSocket {
  Reflect.apply(this[HELD]!.removeAllListeners, this, events);
  this.off("close", releaseAll);
  this.on("close", releaseAll);
  return this;
}
