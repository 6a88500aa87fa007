/**
 * The access of finders to the sockets of a server.
 *
 * @module
 */

import type { ConnAccess } from "../admission/client_finder.ts";
import { type Peer, UNIX_PEER } from "../core/peer.ts";
import { typeError } from "../core/validate.ts";
import { isUnixSocket, type RawSocket, underTls } from "./descriptor.ts";
import type { ServerLike, ServerSocket } from "./server_like.ts";

/** A socket whose peer has no address, most often because it reset the connection before it was accepted. */
const UNKNOWN_PEER: Peer = {};

/** The peer of a socket, which may be one of TLS over another. */
export function peerOfSocket(socket: ServerSocket & RawSocket, server: ServerLike): Peer {
  const { remoteAddress } = socket;
  if (remoteAddress !== undefined) return remoteAddress;
  const raw = underTls(socket);
  // On Bun a TLS socket over another has no address before its handshake.
  if (raw.remoteAddress !== undefined) return raw.remoteAddress;
  if (raw.localAddress !== undefined) return UNKNOWN_PEER;
  return typeof server.address() === "string" || isUnixSocket(raw) ? UNIX_PEER : UNKNOWN_PEER;
}

/** A peer, as Node's own part of a socket tells it. */
interface PeerName {
  address?: string;
  port?: number;
  family?: string;
}

/** The runtime's own part of a socket, from which TLS over it takes the peer's address. */
interface Handle {
  /** On Node and Deno. */
  getpeername?(out: PeerName): number;
  /** On Bun: starts TLS. Returns the sockets below and above it. */
  upgradeTLS?(...args: unknown[]): object[];
}

/**
 * The access to a server's sockets. Nothing has been read from them, except on Bun from those of other servers than
 * `node:net`'s.
 *
 * @throws {TypeError} For those.
 */
export function serverAccess(server: ServerLike): ConnAccess<ServerSocket> {
  // Of these, only servers of TCP have the one, and only those of TLS the other.
  if ("Bun" in globalThis && (!("pauseOnConnect" in server) || "setSecureContext" in server)) {
    throw typeError(
      "server",
      "one of node:net on Bun where there is a client option, since Bun reads from connections to other servers at once; " +
        'put one in front: createServer((socket) => server.emit("connection", socket))',
      server,
    );
  }
  return {
    // A finder tells of the proxy's port, too.
    peerOf: (socket) => socket.remoteAddress === undefined ? peerOfSocket(socket, server) : socket,
    objectOf: (socket) => socket,
    read,
    show(socket, address, port) {
      const name: PeerName = { address, port, family: address.includes(":") ? "IPv6" : "IPv4" };
      showOn(socket, name);
      const handle = (socket as { _handle?: Handle | null })._handle;
      if (handle == null) return;
      const upgrade = handle.upgradeTLS;
      if (upgrade === undefined) {
        // Those of Unix sockets have none, but are asked for it by TLS over them.
        handle.getpeername = (out) => {
          Object.assign(out, name);
          return 0;
        };
      } else {
        const value = (...args: unknown[]) => {
          const sockets = Reflect.apply(upgrade, handle, args);
          for (const socket of sockets) showOn(socket, name);
          return sockets;
        };
        Object.defineProperty(handle, "upgradeTLS", { value, configurable: true, writable: true });
      }
    },
  };
}

/** Shows a peer on a socket. */
function showOn(socket: object, name: PeerName): void {
  // Node and Deno look it up here, where an assignment is cheaper than three properties.
  (socket as { _peername?: PeerName })._peername = name;
  const { address: remoteAddress, port: remotePort, family: remoteFamily } = name;
  if ((socket as ServerSocket).remoteAddress === remoteAddress) return;
  for (const [key, value] of Object.entries({ remoteAddress, remotePort, remoteFamily })) {
    Object.defineProperty(socket, key, { value, configurable: true });
  }
}

/** A socket that is read. */
interface ReadSocket extends ServerSocket {
  [READING]?: { readonly buffer: Uint8Array; readonly resolve: (count: number) => void } | undefined;
}

const READING: unique symbol = Symbol("connlimit.reading");

/**
 * Reads as many bytes as `buffer` has, and leaves the rest to the listeners to come. (Taking more and giving it back by
 * `unshift()` hangs on all runtimes where the client has sent it all at once.) At the end of the stream it never resolves;
 * whoever holds the socket hears of that.
 */
function read(socket: ReadSocket, buffer: Uint8Array): number | Promise<number> {
  const taken = take(socket, buffer);
  if (taken >= 0) return taken;
  return new Promise((resolve) => {
    socket[READING] = { buffer, resolve };
    socket.on("readable", onReadable);
  });
}

/** All sockets share it. */
function onReadable(this: ReadSocket): void {
  const { buffer, resolve } = this[READING]!;
  const taken = take(this, buffer);
  if (taken < 0) return;
  this.off("readable", onReadable);
  this[READING] = undefined;
  resolve(taken);
}

/** Takes bytes that are there. Returns -1 if there are too few. */
function take(socket: ServerSocket, buffer: Uint8Array): number {
  const bytes: Uint8Array | null = socket.read!(buffer.length);
  if (bytes === null) return -1;
  buffer.set(bytes);
  return bytes.length;
}
