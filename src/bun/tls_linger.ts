/**
 * How a TLS socket is closed that still has data to send.
 *
 * @module
 */

import { setInterval } from "node:timers";
import type { BunSocketLike } from "./native.ts";

/**
 * Milliseconds that a closed connection has for what Bun still holds of its data. It bounds the descriptors of clients that
 * take nothing.
 */
const LINGER_MS = 10_000;

/**
 * Milliseconds between attempts to send. Bun itself tries again only when the kernel reports room, which is when a third of
 * the send buffer is free: a client that reads slowly needs more than ten seconds for that.
 */
const RETRY_MS = 250;

/** Bytes that Bun takes at a time, and so the most that it can hold of a connection when it has no more room. */
export const TLS_WRITE_BYTES: number = 32 * 1024;

/** Tells whether all is sent without sending anything more. */
const NOTHING = new Uint8Array(0);

/**
 * Sends the rest of a TLS socket's data, and then closes it. After Bun's own `close()` nothing can reset the socket any more,
 * so that is called only when all data is sent.
 */
export class TlsLinger {
  readonly #socket: BunSocketLike;
  readonly #timer: ReturnType<typeof setInterval>;
  #attempts = 0;

  private constructor(socket: BunSocketLike) {
    this.#socket = socket;
    this.#timer = setInterval(() => this.#again(), RETRY_MS);
    this.#timer.unref?.();
  }

  /** Closes a socket, at once if all its data is sent. Otherwise returns what closes it. */
  static close(socket: BunSocketLike): TlsLinger | undefined {
    return sendRest(socket) ? undefined : new TlsLinger(socket);
  }

  /** Tries to send, now that the socket has room. */
  drain(): void {
    sendRest(this.#socket);
  }

  /** Ends the attempts, since the socket is closed. */
  end(): void {
    clearInterval(this.#timer);
  }

  #again(): void {
    if (!sendRest(this.#socket) && ++this.#attempts === LINGER_MS / RETRY_MS) this.#socket.terminate();
  }
}

/** Sends what the kernel has room for, and closes the socket when that is all. Returns whether it is. */
export function sendRest(socket: BunSocketLike): boolean {
  socket.shutdown();
  // A write of bytes would send them where the kernel has had room in between.
  const sent = socket.write(NOTHING) < 0;
  if (sent) socket.close();
  return sent;
}
