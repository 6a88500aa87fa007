/**
 * `limitServer()`: limits the servers that stand on `node:net`, in place.
 *
 * @module
 */

import { callHook, checkHooks, type RefusalHooks } from "../hooks.ts";
import { type Limiter, limiterOf } from "../limiter.ts";
import type { LimitsOptions } from "../limits.ts";
import { show } from "../options.ts";
import { type Peer, UNIX_PEER } from "../peer.ts";
import type { Slot } from "../slot.ts";

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
  /** Closes the socket at once. */
  destroy(): unknown;
}

/** A limiter's hold on a server. */
export interface ServerAttachment extends Disposable {
  /** What admits, counts and refuses the server's connections. */
  readonly limiter: Limiter;
  /**
   * Lets the server accept without limits again. Connections that are open stay counted until they close. Detaching twice
   * is no error.
   */
  detach(): void;
  /** The same as {@linkcode ServerAttachment.detach}, for `using`. */
  [Symbol.dispose](): void;
}

/** What tells such a server from other emitters: a `WebSocketServer` of `ws` has all of them but `listen`. */
const SERVER_METHODS = ["emit", "address", "listen"] as const;

/** The gates of servers that have limiters. */
const gates = new WeakMap<ServerLike, Gate>();

/**
 * Limits a server of `node:net`, `node:tls`, `node:http`, `node:https` or `node:http2`, and what stands on one: Express,
 * Fastify, `ws`. It works in place, on Node, Deno and Bun, and before or after `listen()`.
 *
 * A connection is counted from its `"connection"` event to the `"close"` of its socket; a WebSocket, or whatever else has
 * upgraded it, keeps the slot until then. A refused one is destroyed before anybody else hears of it: no listener, no
 * handler, and on TLS no handshake, except that on Bun an `https` server tells of its connections only after the
 * handshake. Connections that were open before are not counted.
 *
 * A server may have several limiters; all of them must admit. The peers of a Unix socket are one client together.
 *
 * @example A web server
 * ```ts ignore
 * import { createServer } from "node:http";
 * import { limitServer } from "@connlimit/connlimit/node";
 *
 * const server = createServer((_request, response) => response.end("hello\n"));
 * limitServer(server, { maxPerClient: 20 });
 * server.listen(8000);
 * ```
 *
 * @param server The server, which stays the same object.
 * @param limits A limiter, which several servers may share, or the limits for one of its own.
 * @param options Hooks.
 * @returns A way to detach the limiter again; it need not be kept.
 * @throws {TypeError} For what is no server, an unknown option, a value of the wrong type, or a limiter that the server
 * has already.
 * @throws {RangeError} For a limit out of its range.
 */
export function limitServer<S extends ServerSocket = ServerSocket>(
  server: ServerLike,
  limits: Limiter | LimitsOptions = {},
  options: RefusalHooks<S> = {},
): ServerAttachment {
  if (SERVER_METHODS.some((method) => typeof server?.[method] !== "function")) {
    throw new TypeError(`server must be a server of node:net or of what stands on it, got ${show(server)}`);
  }
  checkHooks("server", options);
  const guard = new Guard(limiterOf(limits), options as RefusalHooks<ServerSocket>);
  let gate = gates.get(server);
  if (gate === undefined) gates.set(server, gate = new Gate(server));
  gate.add(guard);
  return new Attachment(gate, guard);
}

class Attachment implements ServerAttachment {
  readonly #gate: Gate;
  readonly #guard: Guard;

  constructor(gate: Gate, guard: Guard) {
    this.#gate = gate;
    this.#guard = guard;
  }

  get limiter(): Limiter {
    return this.#guard.limiter;
  }

  detach(): void {
    this.#gate.remove(this.#guard);
  }

  [Symbol.dispose](): void {
    this.detach();
  }
}

/**
 * Stands between a server and its `"connection"` event. A listener, even the first, could not keep the event from the
 * others; so the gate takes the place of the server's `emit`. There is one for each server, however many limiters it has
 * and however often they come and go.
 */
class Gate {
  readonly #server: ServerLike;
  /** Replaced, never changed: an admission under way goes on with those it began with. */
  #guards: readonly Guard[] = [];

  constructor(server: ServerLike) {
    this.#server = server;
    const { emit } = server;
    const admit = (socket: ServerSocket) => this.#admit(socket);
    server.emit = function (event: unknown, socket: ServerSocket): boolean {
      if (event === "connection" && !admit(socket)) return true;
      // As many as there are, without making an array for each event.
      return Reflect.apply(emit, this, arguments);
    };
  }

  add(guard: Guard): void {
    if (this.#guards.some(({ limiter }) => limiter === guard.limiter)) {
      throw new TypeError("limiter must be one that the server does not have already");
    }
    this.#guards = [...this.#guards, guard];
  }

  remove(guard: Guard): void {
    this.#guards = this.#guards.filter((other) => other !== guard);
  }

  #admit(socket: ServerSocket): boolean {
    const peer = this.#peer(socket);
    for (const guard of this.#guards) {
      if (!guard.admit(socket, peer)) return false;
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

/** One limiter at a gate. */
class Guard {
  readonly limiter: Limiter;
  readonly #hooks: RefusalHooks<ServerSocket>;

  constructor(limiter: Limiter, hooks: RefusalHooks<ServerSocket>) {
    this.limiter = limiter;
    this.#hooks = hooks;
  }

  /** Admits a socket until it closes, or destroys it, which frees what other limiters have admitted it to. */
  admit(socket: ServerSocket, peer: Peer): boolean {
    const admission = this.limiter.tryAccept(peer);
    if (admission.admitted) {
      releaseOnClose(socket, admission);
      return true;
    }
    const { onRefused, onError } = this.#hooks;
    if (onRefused !== undefined) {
      // A hook that writes to a reset socket must not bring up an error that nobody listens for.
      socket.on("error", ignore);
      callHook(onRefused, onError, admission, socket);
    }
    socket.destroy();
    return false;
  }
}

function ignore(): void {}

/** Releases a slot when its socket closes, even where somebody removes the socket's listeners, all or those of an event. */
function releaseOnClose(socket: ServerSocket, slot: Slot): void {
  // One that somebody hands over closed will not close again.
  if (socket.destroyed) return slot.release();
  const release = () => slot.release();
  socket.on("close", release);
  const { removeAllListeners } = socket;
  socket.removeAllListeners = function (...events) {
    Reflect.apply(removeAllListeners, this, events);
    this.off("close", release);
    this.on("close", release);
    return this;
  };
}
