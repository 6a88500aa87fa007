/**
 * What sockets show of their bytes, and how they are closed at a deadline, on Node, Deno and Bun.
 *
 * @module
 */

import { type RawSocket, underTls } from "./descriptor.ts";
import type { ServerSocket } from "./server_like.ts";

/** The counters of a handle. Node has all of the properties, Deno the methods, and Bun's has `bytesWritten`. */
interface CountingHandle {
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
  /** Bytes that the kernel has not taken. */
  readonly writeQueueSize?: number;
  getBytesWritten?(): number;
}

/** A session of HTTP/2. */
export interface Session {
  readonly socket: object;
  readonly destroyed: boolean;
  close(): unknown;
  once(event: string, listener: () => void): unknown;
  /** The number of streams in flight. */
  [STREAMS]?: number;
}

export const STREAMS: unique symbol = Symbol("connlimit.streams");
const SECURE: unique symbol = Symbol("connlimit.secure");
const SESSION: unique symbol = Symbol("connlimit.session");
const UPGRADED: unique symbol = Symbol("connlimit.upgraded");
const SPOKEN: unique symbol = Symbol("connlimit.spoken");
const READ_BEFORE: unique symbol = Symbol("connlimit.readBefore");

/** A socket that has been admitted. With TLS it is the one below, except on Bun. */
export interface CountedSocket extends ServerSocket, RawSocket {
  readonly destroyed: boolean;
  readonly remoteAddress?: string | undefined;
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
  readonly readableLength?: number;
  readonly writableLength?: number;
  resetAndDestroy?(): unknown;
  /** What `destroy()` of Bun's `https` sockets does not do while there is data that the client does not take. */
  destroyNow?(): unknown;
  /** The TLS socket whose handshake is finished. */
  [SECURE]?: CountedSocket;
  [SESSION]?: Session;
  /** Whether it has become a tunnel. */
  [UPGRADED]?: boolean;
  /** Whether its client is known to have sent something, where no counter shows it. */
  [SPOKEN]?: boolean;
  /** The bytes of a proxy's header. */
  [READ_BEFORE]?: number;
}

/** Notes what has been read from a socket before it was admitted. */
export function noteAdmitted(socket: CountedSocket): void {
  const { bytesRead = 0, readableLength = 0 } = socket;
  if (bytesRead > readableLength) socket[READ_BEFORE] = bytesRead - readableLength;
}

/** Notes that a handshake is finished. */
export function noteSecure(socket: CountedSocket): void {
  underTls(socket)[SECURE] = socket;
}

/** The TLS socket over a socket. Absent before the end of the handshake, and without TLS. */
export function secureOf(socket: CountedSocket): CountedSocket | undefined {
  return socket[SECURE];
}

/** Notes that a session has begun. */
export function noteSession(session: Session): void {
  const socket = underTls(session.socket as CountedSocket);
  socket[SESSION] = session;
  session[STREAMS] = 0;
  // On Bun no counter shows what such a client sends, which begins with its settings.
  if ("Bun" in globalThis) session.once("remoteSettings", () => socket[SPOKEN] = true);
}

/** The session of a socket. */
export function sessionOf(socket: CountedSocket): Session | undefined {
  return socket[SESSION];
}

/** Notes that a socket has become a tunnel. Returns the socket that was admitted. */
export function noteUpgraded(socket: CountedSocket): CountedSocket {
  const under = underTls(socket);
  under[UPGRADED] = true;
  return under;
}

/** Whether a socket has become a tunnel. */
export function isUpgraded(socket: CountedSocket): boolean {
  return socket[UPGRADED] === true;
}

/**
 * Whether a client has sent a byte of payload.
 *
 * @param tls Whether payload comes after a handshake.
 */
export function hasSpoken(socket: CountedSocket, tls: boolean): boolean {
  if (socket[SPOKEN] || socket[UPGRADED]) return true;
  const secure = socket[SECURE];
  if (secure !== undefined) return secure.bytesRead! > 0;
  return !tls && socket.bytesRead! > (socket[READ_BEFORE] ?? 0);
}

/**
 * A number that is another one when bytes have been read, or when the kernel has taken some that were written. Deno and Bun
 * show that of a write as a whole.
 */
export function activityOf(socket: CountedSocket): number {
  const under = underTls(socket);
  const handle = under._handle as CountingHandle | null | undefined;
  if (handle?.writeQueueSize !== undefined) return handle.bytesRead! + handle.bytesWritten! - handle.writeQueueSize;
  // With TLS, Deno counts what is written above, and what is read below.
  const above = under[SECURE] ?? socket;
  return under.bytesRead! + (above === under ? 0 : above.bytesRead!) + 2 * begun(above) +
    (above.writableLength === 0 ? 1 : 0);
}

/** The bytes of all writes but those that wait for one before. A second write begins when the first is done. */
function begun({ _handle, bytesWritten, writableLength }: CountedSocket): number {
  const handle = _handle as CountingHandle | null | undefined;
  return handle?.getBytesWritten?.() ?? handle?.bytesWritten ?? bytesWritten! - writableLength!;
}

/**
 * Closes a socket; with a reset if its client has not taken what was written, which the kernel would go on to offer it for
 * minutes.
 */
export function closeSocket(socket: CountedSocket): void {
  const under = underTls(socket);
  const above = under[SECURE] ?? socket;
  // Writes that are pending fail, on TLS sockets loudly.
  under.on("error", ignore);
  if (above !== under) above.on("error", ignore);
  const handle = under._handle as CountingHandle | null | undefined;
  const stuck = (above.writableLength ?? 0) > 0 || (handle?.writeQueueSize ?? 0) > 0;
  if (!stuck) under.destroy();
  // Only Bun's `https` sockets are encrypted and have no handle. They cannot be reset, nor can Unix sockets.
  else if (under.encrypted && under._handle == null && under.destroyNow !== undefined) under.destroyNow();
  else if (under.localAddress === undefined) under.destroy();
  else under.resetAndDestroy!();
}

function ignore(): void {}
