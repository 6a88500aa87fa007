/**
 * The reading side of a Bun connection: turns what is pushed by the socket into what is asked for by `read()`.
 *
 * @module
 */

import { badResource, interrupted } from "../conn/deno_errors.ts";
import type { BunSocketLike } from "./native.ts";

/** A read that waits. */
interface PendingRead {
  /** Takes of what has come. */
  ready(): void;
  /** Nothing has come, and nothing will. */
  ended(): void;
  reject(error: Error): void;
}

/** Why nothing more will come: the peer's end, our own close, or an error, made only for those who read. */
type End = "eof" | "closed" | (() => Error);

/**
 * The socket flows only while somebody reads. That is the backpressure; and it keeps Bun from noticing the peer's end
 * before the data in front of it has been dealt with, on which it closes the socket, unless the listener allows half-open
 * connections.
 */
export class ReadQueue {
  readonly #socket: BunSocketLike;
  /** Received and not read yet. Seldom more than one, since the socket is paused. */
  #chunks: Uint8Array[] = [];
  #reads: PendingRead[] = [];
  #flowing: boolean;
  #end: End | undefined;

  /** @param flowing Whether the socket is not paused: for the handshake of TLS it must flow. */
  constructor(socket: BunSocketLike, flowing: boolean) {
    this.#socket = socket;
    this.#flowing = flowing;
  }

  /** Reads what there is, at most as much as fits, or waits for it. Resolves to `null` at the peer's end. */
  read(buffer: Uint8Array): Promise<number | null> {
    if (buffer.length === 0 && this.#end !== "closed") return Promise.resolve(0);
    return this.#next(() => this.#fill(buffer));
  }

  /** The same without copying: reads a chunk as it has come. */
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

  /** Takes in what has come. */
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

  /** Pauses the socket unless somebody reads. */
  rest(): void {
    if (!this.#flowing || this.#reads.length > 0) return;
    this.#flowing = false;
    this.#socket.pause();
  }

  /** Nothing more will come. What has come before can still be read, but not after a close of our own. */
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
