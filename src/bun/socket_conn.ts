/**
 * Bun's sockets as connections.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { OPEN_CONN, OpenConn, type Recorded } from "../admission/open_conn.ts";
import { systemError } from "../conn/deno_errors.ts";
import type { ConnLike } from "../conn/limited_conn.ts";
import { readableOfChunks, writableOf } from "../conn/streams.ts";
import type { Slot } from "../core/slot.ts";
import type { BunAddr, BunConn } from "./bun_conn.ts";
import type { BunSocketLike } from "./native.ts";
import { ReadQueue } from "./read_queue.ts";
import type { SocketTraits } from "./socket_traits.ts";
import { TlsLinger } from "./tls_linger.ts";
import { WriteQueue } from "./write_queue.ts";

/** The only implementation of {@linkcode BunConn}. */
export class SocketConn<A extends BunAddr> implements BunConn<A> {
  remoteAddr: A;
  /** Called when the descriptor is closed. */
  onClosed: (() => void) | undefined = undefined;
  readonly #socket: BunSocketLike;
  readonly #traits: SocketTraits;
  #readQueue: ReadQueue | undefined;
  #writeQueue: WriteQueue | undefined;
  #localAddr: A | undefined;
  #readable: ConnLike["readable"] | undefined;
  #writable: ConnLike["writable"] | undefined;
  #failure: (() => Error) | undefined;
  #closed = false;
  /** Whether the peer has ended its side in this turn of the event loop, and Bun may be about to close the connection. */
  #ending = false;
  /** Whether the descriptor is closed. */
  #gone = false;
  #linger: TlsLinger | undefined;

  constructor(socket: BunSocketLike, remoteAddr: A, traits: SocketTraits) {
    // Defined from the start, because `bindSlot()` takes it as the sign that the connection ends its own records.
    (this as Recorded)[OPEN_CONN] = undefined;
    this.#socket = socket;
    this.#traits = traits;
    this.remoteAddr = remoteAddr;
    const { tls, halfOpen } = traits;
    // The others are made when they are needed: a connection that is closed at once costs less.
    if (tls || !halfOpen) this.#readQueue = new ReadQueue(socket, traits);
    if (tls) this.#writeQueue = new WriteQueue(socket, tls);
  }

  get #reads(): ReadQueue {
    return this.#readQueue ??= this.#madeLate(new ReadQueue(this.#socket, this.#traits));
  }

  get #writes(): WriteQueue {
    return this.#writeQueue ??= this.#madeLate(new WriteQueue(this.#socket, this.#traits.tls));
  }

  #madeLate<Q extends ReadQueue | WriteQueue>(queue: Q): Q {
    if (this.#closed) queue.finish("closed");
    return queue;
  }

  get localAddr(): A {
    return this.#localAddr ??= this.#readLocalAddr() as A;
  }

  /** Only where it is asked for: it takes a call of the system. */
  #readLocalAddr(): BunAddr {
    if (this.remoteAddr.transport === "unix") return this.remoteAddr;
    const { localAddress: hostname = "", localPort: port = 0 } = this.#socket;
    return { transport: "tcp", hostname, port };
  }

  /** Its slot; with several of them, the one that was bound last. One that is refused has none. */
  get slot(): Slot {
    return (this as Recorded)[OPEN_CONN]?.slot as Slot;
  }

  get readable(): ConnLike["readable"] {
    return this.#readable ??= readableOfChunks(() => this.#reads.readChunk(), () => this.close());
  }

  get writable(): ConnLike["writable"] {
    return this.#writable ??= writableOf(this, () => this.close());
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.#reads.read(buffer);
  }

  write(data: Uint8Array): Promise<number> {
    return this.#writes.write(data);
  }

  closeWrite(): Promise<void> {
    return this.#writes.closeWrite(() => this.#reads.closeWrite());
  }

  close(): void {
    if (this.#closed) return;
    this.#finish();
    if (this.#gone) return;
    if (!this.#traits.tls) return this.#socket.close();
    this.#readQueue?.stop();
    // The connection keeps its slot until then.
    this.#linger = TlsLinger.close(this.#socket);
  }

  #finish(): void {
    this.#closed = true;
    this.#readQueue?.finish("closed");
    this.#writeQueue?.finish("closed");
  }

  /** Whether data has arrived that nobody has read. */
  get hasUnread(): boolean {
    return this.#readQueue?.hasUnread ?? false;
  }

  /** Closes the connection at once: with a reset if its peer does not take what is to be sent. */
  cut(): void {
    if (this.#writeQueue?.waits) this.#finish();
    this.reset();
  }

  /** Resets the connection, if it is open: also while it still sends. */
  reset(): void {
    this.close();
    if (!this.#gone) this.#socket.terminate();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }

  /** Shows a client in place of the peer. The connection itself stays what it is. */
  show(client: A): void {
    if (this.remoteAddr.transport === "unix") this.#localAddr = this.remoteAddr;
    this.remoteAddr = client;
  }

  /** Calls a function with the socket, which is otherwise private. */
  withSocket(use: (socket: BunSocketLike) => void): void {
    use(this.#socket);
  }

  // The events of the socket.

  onData(chunk: Uint8Array): void {
    this.#reads.push(chunk);
  }

  onDrain(): void {
    this.#writeQueue?.drain();
    this.#linger?.drain();
  }

  onHandshake(success: boolean, error: Error | null): void {
    if (error !== null) this.#failure = () => systemError("InvalidData", "the TLS handshake has failed", error);
    // The close is next.
    if (!success) return;
    this.#reads.rest();
    if (error === null) return this.#writes.drain();
    // The close is next if Bun rejects the client's certificate. A client without one has such an error, too.
    setImmediate(() => {
      this.#failure = undefined;
      this.#writes.drain();
    });
  }

  onEnd(): void {
    this.#failure = undefined;
    this.#reads.finish("eof");
    if (this.#traits.halfOpen) return;
    this.#ending = true;
    setImmediate(() => {
      this.#ending = false;
      if (!this.#gone && !this.#closed) this.#traits.halfOpen = true;
    });
  }

  onError(error: Error): void {
    this.#failure ??= () => error;
  }

  onClose(error: Error | undefined): void {
    this.#gone = true;
    this.#linger?.end();
    if (!this.#closed) {
      const failure = error === undefined ? this.#failure : () => resetBy(error);
      this.#reads.finish(failure ?? "eof");
      this.#writes.finish(failure ?? (this.#ending ? () => this.#traits.answerLost() : gone));
    }
    // A refused connection has no record yet. One that has ended releases a slot that is bound later.
    ((this as Recorded)[OPEN_CONN] ??= new OpenConn(this, undefined)).end();
    this.onClosed?.();
  }
}

function resetBy(cause: Error): Error {
  return systemError("ConnectionReset", "the peer has reset the connection", cause);
}

function gone(): Error {
  return systemError("BrokenPipe", "the peer has closed the connection");
}
