/**
 * Structural types of Node's servers and sockets: the members that the library uses.
 *
 * @module
 */

/** The server that is to be limited: one of `node:net`, `node:tls`, `node:http`, `node:https` or `node:http2`. */
export interface ServerLike {
  /** How it announces its connections, by the event `"connection"`. */
  // deno-lint-ignore no-explicit-any
  emit(event: any, ...args: any[]): boolean;
  /** Whether it listens. */
  readonly listening: boolean;
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
  /** True for a TLS socket. */
  readonly encrypted?: boolean;
  /** The protocol that a TLS socket has agreed on, or `false`. `null` before its handshake. */
  readonly alpnProtocol?: string | false | null;
  /** Whether the socket is destroyed. */
  readonly destroyed: boolean;
  /** Adds a listener. */
  // deno-lint-ignore no-explicit-any
  on(event: any, listener: (...args: any[]) => void): unknown;
  /** Removes a listener. */
  // deno-lint-ignore no-explicit-any
  off(event: any, listener: (...args: any[]) => void): unknown;
  /** Removes all listeners, or those of one event. */
  // deno-lint-ignore no-explicit-any
  removeAllListeners(...events: any[]): this;
  /** Whether the socket emits its data. `null` before the first listener is added. */
  readonly readableFlowing?: boolean | null;
  /** Stops emitting data. */
  pause?(): unknown;
  /** Reads so many bytes if there are so many, or at the end what is left. */
  // deno-lint-ignore no-explicit-any
  read?(size?: number): any;
  /** Reads, and discards data that has no listener. */
  resume(): unknown;
  /** Sends data, then ends this side of the connection. */
  end(data: Uint8Array): unknown;
  /** Closes the socket at once. */
  destroy(): unknown;
}
