/**
 * The reading side of a Bun connection: a queue between the socket, which pushes data, and `read()`, which pulls it.
 *
 * @module
 */

import { badResource, interrupted } from "../conn/deno_errors.ts";
import type { BunSocketLike } from "./native.ts";

/** A read that waits for data. */
interface PendingRead {
  /** Resolves the read with queued data. */
  ready(): void;
  /** Resolves the read with `null`. */
  ended(): void;
  reject(error: Error): void;
}

/** Why no more data will arrive: the peer's FIN, a close on this side, or an error. Only a failed read creates it. */
type End = "eof" | "closed" | (() => Error);

/**
 * The socket flows only while a read is pending. This gives backpressure. It also delays the peer's FIN until the data
 * ahead of it has been read. On FIN, Bun closes the socket unless the listener allows half-open connections.
 */
export class ReadQueue {
  readonly #socket: BunSocketLike;
  /** Received data that has not been read. Rarely more than one chunk, since the socket is paused. */
  #chunks: Uint8Array[] = [];
  #reads: PendingRead[] = [];
  #flowing: boolean;
  #end: End | undefined;

  /** @param flowing Whether the socket starts unpaused, as the TLS handshake requires. */
  constructor(socket: BunSocketLike, flowing: boolean) {
    this.#socket = socket;
    this.#flowing = flowing;
  }

  /** Reads into `buffer`, after waiting for data if none is queued. Resolves to `null` after the peer's FIN. */
  read(buffer: Uint8Array): Promise<number | null> {
    if (buffer.length === 0 && this.#end !== "closed") return Promise.resolve(0);
    return this.#next(() => this.#fill(buffer));
  }

  /** Reads a whole chunk as received, without a copy. */
  readChunk(): Promise<Uint8Array | null> {
    return this.#next(() => this.#chunks.shift()!);
  }

  #next<T>(take: () => T): Promise<T | null> {
    if (this.#end === "closed") return Promise.reject(badResource());
    if (this.#chunks.length > 0) return Promise.resolve(take());
    if (this.#end === "eof") return Promise.resolve(null);
    if (this.#end !== undefined) return Promise.reject(this.#end());
    return new Promise((resolve, reject) => {
      this.#reads.push({ ready: () => resolve(take()), ended: () => resolve(null), reject });
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
      read.ready();
    }
    this.rest();
  }

  /** Pauses the socket unless a read is pending. */
  rest(): void {
    if (!this.#flowing || this.#reads.length > 0) return;
    this.#flowing = false;
    this.#socket.pause();
  }

  /** Ends the queue. Queued data can still be read, except after a close on this side. */
  finish(end: End): void {
    if (this.#end === "closed") return;
    this.#end = end;
    if (end === "closed") this.#chunks = [];
    const reads = this.#reads;
    this.#reads = [];
    for (const { ended, reject } of reads) {
      if (end === "eof") ended();
      else reject(end === "closed" ? interrupted() : end());
    }
  }

  #flow(): void {
    if (this.#flowing) return;
    this.#flowing = true;
    this.#socket.resume();
  }

  #fill(buffer: Uint8Array): number {
    const chunk = this.#chunks[0]!;
    const count = Math.min(chunk.length, buffer.length);
    buffer.set(count < chunk.length ? chunk.subarray(0, count) : chunk);
    if (count < chunk.length) this.#chunks[0] = chunk.subarray(count);
    else this.#chunks.shift();
    return count;
  }
}
