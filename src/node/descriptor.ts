/**
 * What `node:net` does not tell about a socket's descriptor, read from its `_handle`. Node, Deno and Bun all have one.
 *
 * @module
 */

/** What holds a descriptor. Bun's `http` and `https` sockets show none. */
export interface Handle {
  /** The descriptor; negative once it is closed, and without one. Deno shows it for Unix sockets alone. */
  readonly fd?: number;
  /** Whether it keeps the process running, which nothing does that is closed. Bun lacks it. */
  hasRef?(): boolean;
}

/** The private members of a socket. */
export interface RawSocket {
  /** `null` when the socket is closed, was sent to another process, or has lost the handle to another socket. */
  readonly _handle?: Handle | null | undefined;
  /** The socket under a TLS socket that was made from one. */
  readonly _parent?: RawSocket | null | undefined;
  readonly remoteAddress?: string | undefined;
  readonly localAddress?: string | undefined;
  readonly destroyed?: boolean;
}

/** The socket that has the descriptor: with TLS, often the one below. */
export function underTls<S extends RawSocket>(socket: S): S {
  let under = socket;
  while (under._parent != null) under = under._parent as S;
  return under;
}

/**
 * Whether a socket without a remote address is a Unix socket. It has no local address either, and has a descriptor. A TCP
 * socket whose client has reset keeps its local address; a stream that is no socket, or TLS over one, has no descriptor.
 */
export function isUnixSocket({ _handle, localAddress }: RawSocket): boolean {
  return localAddress === undefined && _handle?.fd !== undefined && _handle.fd >= 0;
}

/**
 * Whether the descriptor that a socket had is closed, though the socket itself is not. So it is after `send()` has given it
 * to another process, once that process has it; before, the descriptor is still this process's.
 */
export function hasLostDescriptor({ _handle, destroyed }: RawSocket, handle: Handle): boolean {
  if (_handle !== null || destroyed) return false;
  return handle.fd === undefined ? handle.hasRef?.() !== true : handle.fd < 0;
}
