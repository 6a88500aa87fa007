/**
 * The reading side of a Bun connection: a queue between the socket, which pushes data, and `read()`, which pulls it.
 *
 * @module
 */

import { badResource, interrupted } from "../conn/deno_errors.ts";
import { typeError } from "../core/validate.ts";
import type { BunSocketLike } from "./native.ts";
import type { SocketTraits } from "./socket_traits.ts";

/** A read that waits for data. */
interface PendingRead {
  /** Where the data goes. Absent for a whole chunk. */
  readonly buffer: Uint8Array | undefined;
  resolve(result: number | Uint8Array | null): void;
  reject(error: unknown): void;
}

/** Why no more data will arrive: the peer's FIN, a close on this side, or an error. Only a failed read creates it. */
type End = "eof" | "closed" | (() => Error);

/**
 * The socket is paused when a chunk arrives that no read waits for, and resumed by the next read that finds nothing queued.
 * This gives backpressure, and costs no system call while reads keep up.
 *
 * If Bun closes connections at the peer's FIN, the socket flows only while a read is pending. This delays the FIN until the
 * data ahead of it has been read.
 */
export class ReadQueue {
  readonly #socket: BunSocketLike;
  readonly #traits: SocketTraits;
  /** Received data that has not been read. Rarely more than one chunk, since the socket is paused then. */
  #chunks: Uint8Array[] = [];
  #reads: PendingRead[] = [];
  #flowing = true;
  #writeClosed = false;
  #end: End | undefined;

  constructor(socket: BunSocketLike, traits: SocketTraits) {
    this.#socket = socket;
    this.#traits = traits;
    // A paused socket would not do the handshake.
    if (!traits.tls) this.rest();
  }

  /** Whether data is queued. */
  get hasUnread(): boolean {
    return this.#chunks.length > 0;
  }

  /** Reads into `buffer`, after waiting for data if none is queued. Resolves to `null` after the peer's FIN. */
  read(buffer: Uint8Array): Promise<number | null> {
    if (!(buffer instanceof Uint8Array)) return Promise.reject(typeError("buffer", "a Uint8Array", buffer));
    if (buffer.length === 0) return Promise.resolve(0);
    return this.#next(buffer) as Promise<number | null>;
  }

  /** Reads a whole chunk as received, without a copy. */
  readChunk(): Promise<Uint8Array | null> {
    return this.#next(undefined) as Promise<Uint8Array | null>;
  }

  #next(buffer: Uint8Array | undefined): Promise<number | Uint8Array | null> {
    if (this.#end === "closed") return Promise.reject(badResource());
    if (this.#chunks.length > 0) return Promise.resolve(this.#take(buffer));
    if (this.#end === "eof") return Promise.resolve(null);
    if (this.#end !== undefined) return Promise.reject(this.#end());
    return new Promise((resolve, reject) => {
      this.#reads.push({ buffer, resolve, reject });
      this.#flow();
    });
  }

  /** Queues received data and resolves pending reads. */
  push(chunk: Uint8Array): void {
    if (this.#end === "closed") return;
    this.#chunks.push(chunk);
    while (this.#chunks.length > 0) {
      const read = this.#reads.shift();
      if (read === undefined) break;
      try {
        read.resolve(this.#take(read.buffer));
      } catch (error) {
        // The buffer was transferred meanwhile. The data stays for the next read.
        read.reject(error);
      }
    }
    this.rest();
  }

  /** Pauses the socket unless a read is pending, or nothing is queued and the peer's FIN may come at any time. */
  rest(): void {
    if (this.#reads.length > 0 || this.#chunks.length === 0 && this.#traits.halfOpen && !this.#writeClosed) return;
    this.#pause();
  }

  /** After a FIN of this side, Bun closes the connection at the peer's. */
  closeWrite(): void {
    this.#writeClosed = true;
    this.rest();
  }

  /** Ends the queue. Queued data can still be read, except after a close on this side. */
  finish(end: End): void {
    if (this.#end === "closed") return;
    this.#end = end;
    if (end === "closed") this.#chunks = [];
    const reads = this.#reads;
    this.#reads = [];
    for (const { resolve, reject } of reads) {
      if (end === "eof") resolve(null);
      else reject(end === "closed" ? interrupted() : end());
    }
  }

  /** Leaves in the kernel what a peer still sends after a close on this side. */
  stop(): void {
    this.#pause();
  }

  #flow(): void {
    if (this.#flowing) return;
    this.#flowing = true;
    this.#socket.resume();
  }

  #pause(): void {
    if (!this.#flowing) return;
    this.#flowing = false;
    this.#socket.pause();
  }

  /** Takes a queued chunk, or as much of it as `buffer` has room for. */
  #take(buffer: Uint8Array | undefined): number | Uint8Array {
    const chunk = this.#chunks[0]!;
    if (buffer === undefined) return this.#chunks.shift()!;
    const count = Math.min(chunk.length, buffer.length);
    buffer.set(count < chunk.length ? chunk.subarray(0, count) : chunk);
    if (count < chunk.length) this.#chunks[0] = chunk.subarray(count);
    else this.#chunks.shift();
    return count;
  }
}
