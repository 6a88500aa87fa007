/**
 * The servers and sockets of Node, as far as they are used here.
 *
 * @module
 */

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
