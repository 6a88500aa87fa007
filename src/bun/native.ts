/**
 * Structural types of Bun's listeners and sockets. With them the library needs none of Bun's own types.
 *
 * @module
 */

import type { DisposableLike } from "../core/disposable_like.ts";

/** A TCP or TLS listener, as `Bun.listen({ hostname, port })` returns it. */
export interface BunListenerLike extends BunListenerBase {
  /** The host that the listener is bound to. */
  readonly hostname: string;
  /** The port that the listener is bound to. */
  readonly port: number;
}

/** A Unix listener, as `Bun.listen({ unix })` returns it. */
export interface BunUnixListenerLike extends BunListenerBase {
  /** The path that the listener is bound to. */
  readonly unix: string;
}

/** The members that both kinds of listeners have. */
export interface BunListenerBase extends DisposableLike {
  /** The path of a Unix listener. */
  readonly unix?: string;
  /** Replaces all handlers, for open sockets too. */
  // deno-lint-ignore no-explicit-any
  reload(options: { socket: any }): void;
  /** Stops listening. With `true`, closes the open sockets too. */
  stop(closeActiveConnections?: boolean): void;
  /** Keeps the process alive while the listener is open. */
  ref(): void;
  /** Lets the process exit while the listener is open. */
  unref(): void;
}

/** Whether a value is one of Bun's listeners. */
export function isBunListener(listener: unknown): listener is BunListenerLike | BunUnixListenerLike {
  const { reload, stop } = (listener ?? {}) as Partial<BunListenerBase>;
  return typeof reload === "function" && typeof stop === "function";
}

/** The handlers of a listener that the library wraps or Bun requires: `data` or `drain`. Bun types their arguments. */
export interface SocketHandlers {
  /** Called with received data. */
  // deno-lint-ignore no-explicit-any
  data?(socket: any, data: any): unknown;
  /** Called when the socket has room for writes again. */
  // deno-lint-ignore no-explicit-any
  drain?(socket: any): unknown;
  /** Called when a connection opens. */
  // deno-lint-ignore no-explicit-any
  open?(socket: any): unknown;
  /** Called when a connection is closed. */
  // deno-lint-ignore no-explicit-any
  close?(socket: any, error?: any): unknown;
  /** Called when the TLS handshake has succeeded or failed. */
  // deno-lint-ignore no-explicit-any
  handshake?(socket: any, success: boolean, error: any): unknown;
}

/** A socket that Bun has accepted. */
export interface BunSocketLike {
  /** The listener that accepted the socket. Absent after the listener has stopped. */
  readonly listener?: BunListenerBase;
  /** Replaces the handlers of the whole listener. */
  reload: BunListenerBase["reload"];
  /** The handlers' own data. */
  data: unknown;
  /** The peer's IP address, cached at its first read. `undefined` if the peer reset the connection before that. */
  readonly remoteAddress?: string | undefined;
  /** The peer's port. Not cached: `undefined` once the socket is closed. */
  readonly remotePort?: number | undefined;
  /** The local IP address that the peer connected to. */
  readonly localAddress?: string | undefined;
  /** The local port that the peer connected to. */
  readonly localPort?: number | undefined;
  /** `"TLSSocket"` for TLS. */
  readonly [Symbol.toStringTag]?: string;
  /** Writes some of `data`. Returns how many bytes: 0 if there is no room, -1 if the socket is closed for writing. */
  write(data: Uint8Array): number;
  /** Stops reading. Data and the peer's FIN then go unnoticed; a reset does not. */
  pause(): void;
  /** Resumes reading. */
  resume(): void;
  /** Sends FIN: no more writes. Reading goes on. */
  shutdown(): void;
  /** Closes the socket. The handler `close` runs before this returns, unless TLS still has data to send. */
  close(): void;
  /** Resets the connection. The handler `close` runs before this returns. */
  terminate(): void;
  /** Keeps the process alive while the socket is open. */
  ref(): void;
  /** Lets the process exit while the socket is open. */
  unref(): void;
}

/** Whether a socket uses TLS, also before its handshake. */
export function isTls(socket: { readonly [Symbol.toStringTag]?: string }): boolean {
  return socket[Symbol.toStringTag] === "TLSSocket";
}

/**
 * Closes a refused socket. Before the TLS handshake only a reset is sure to close it. Without TLS, a plain close
 * delivers what a hook has written, and then FIN.
 */
export function closeRefused(socket: BunSocketLike, tls: boolean): void {
  if (tls) socket.terminate();
  else socket.close();
}

/** Overrides an inherited method on one object. Some of Bun's methods cannot be overridden by assignment. */
export function shadow<T extends object, K extends keyof T>(object: T, name: K, method: T[K]): void {
  Object.defineProperty(object, name, { value: method, configurable: true, writable: true });
}

/** The bytes of data, which handlers may ask for as any type. */
export function bytesOf(chunk: Uint8Array | ArrayBuffer): Uint8Array {
  return chunk instanceof ArrayBuffer ? new Uint8Array(chunk) : chunk;
}
