/**
 * What is used of Bun's listeners and sockets, so that nothing here needs Bun's types.
 *
 * @module
 */

/** A TCP or TLS listener; everything that `Bun.listen({ hostname, port })` returns is one. */
export interface BunListenerLike extends BunListenerBase {
  /** The host that it listens on. */
  readonly hostname: string;
  /** The port that it listens on. */
  readonly port: number;
}

/** A Unix listener; everything that `Bun.listen({ unix })` returns is one. */
export interface BunUnixListenerLike extends BunListenerBase {
  /** The path that it listens on. */
  readonly unix: string;
}

/** What both kinds of listeners have. */
export interface BunListenerBase extends Disposable {
  /** The path of a Unix listener. */
  readonly unix?: string;
  /** Replaces its handlers, for open sockets too. */
  // deno-lint-ignore no-explicit-any
  reload(options: { socket: any }): void;
  /** Stops listening, and closes its sockets if asked to. */
  stop(closeActiveConnections?: boolean): void;
  /** Lets it keep the process running. */
  ref(): void;
  /** Lets the process end. */
  unref(): void;
}

/** Whether something is a listener of Bun's. */
export function isBunListener(listener: unknown): listener is BunListenerLike | BunUnixListenerLike {
  const { reload, stop } = (listener ?? {}) as Partial<BunListenerBase>;
  return typeof reload === "function" && typeof stop === "function";
}

/** The handlers that matter here, and `data` and `drain`, one of which Bun demands. Bun's own types say their arguments. */
export interface SocketHandlers {
  /** Something has come. */
  // deno-lint-ignore no-explicit-any
  data?(socket: any, data: any): unknown;
  /** There is room again for what is to be sent. */
  // deno-lint-ignore no-explicit-any
  drain?(socket: any): unknown;
  /** A connection is open. */
  // deno-lint-ignore no-explicit-any
  open?(socket: any): unknown;
  /** A connection is closed. */
  // deno-lint-ignore no-explicit-any
  close?(socket: any, error?: any): unknown;
  /** The handshake of TLS has succeeded or failed. */
  // deno-lint-ignore no-explicit-any
  handshake?(socket: any, success: boolean, error: any): unknown;
}

/** A socket that Bun has accepted. */
export interface BunSocketLike {
  /** The listener that has accepted it. */
  readonly listener?: BunListenerBase;
  /** Replaces the handlers of its listener. */
  reload: BunListenerBase["reload"];
  /** Whatever the handlers keep with it. */
  data: unknown;
  /** The peer's IP address: read once and known from then on, unknown where it was reset before. */
  readonly remoteAddress?: string | undefined;
  /** The peer's port, as long as the socket is open. */
  readonly remotePort?: number | undefined;
  /** The IP address that the peer has connected to. */
  readonly localAddress?: string | undefined;
  /** The port that the peer has connected to. */
  readonly localPort?: number | undefined;
  /** `"TLSSocket"` where it is one. */
  readonly [Symbol.toStringTag]?: string;
  /** Hands over some of `data` and says how much: 0 where there is no room, -1 where it is closed for writing. */
  write(data: Uint8Array): number;
  /** Stops reading: neither data nor the peer's end are noticed. */
  pause(): void;
  /** Reads again. */
  resume(): void;
  /** Closes it for writing. */
  shutdown(): void;
  /** Closes it, which calls the handler `close` before it returns, unless TLS has something to be sent first. */
  close(): void;
  /** Resets it, which calls the handler `close` before it returns. */
  terminate(): void;
  /** Lets it keep the process running. */
  ref(): void;
  /** Lets the process end. */
  unref(): void;
}

/** Whether TLS is spoken, or will be. */
export function isTls(socket: { readonly [Symbol.toStringTag]?: string }): boolean {
  return socket[Symbol.toStringTag] === "TLSSocket";
}

/**
 * Closes a socket that is refused. Before the handshake of TLS only a reset is sure to close it; without TLS the peer is
 * given a proper end, and whatever a hook has written.
 */
export function closeRefused(socket: BunSocketLike, tls: boolean): void {
  if (tls) socket.terminate();
  else socket.close();
}

/** Puts a method in place of one that an object inherits. Some of Bun's cannot be assigned to. */
export function shadow<T extends object, K extends keyof T>(object: T, name: K, method: T[K]): void {
  Object.defineProperty(object, name, { value: method, configurable: true, writable: true });
}
