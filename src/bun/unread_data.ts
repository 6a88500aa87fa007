/**
 * What a pending socket with limited handlers has received.
 *
 * @module
 */

import type { BunSocketLike } from "./native.ts";

/** What Bun calls `data` with, by the option `binaryType`. */
export type Chunk = Uint8Array | ArrayBuffer;

/** Data that nobody has read, for a finder to read some of it first. */
export class UnreadData {
  /** Whether the socket flows. */
  flowing: boolean;
  #chunks: Chunk[] = [];
  #ended = false;
  /** Called when there is something to read, or nothing more to come. */
  #wake: (() => void) | undefined = undefined;

  constructor(flowing: boolean) {
    this.flowing = flowing;
  }

  /** Whoever reads most often needs one chunk. So the socket is paused when one has come that nobody waits for. */
  push(socket: BunSocketLike, chunk: Chunk): void {
    this.#chunks.push(chunk);
    if (this.#wake !== undefined) return this.#wake();
    this.flowing = false;
    socket.pause();
  }

  /** There is no data to come. */
  finish(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** Delivers a chunk that nobody has read. */
  deliver(to: (chunk: Chunk) => unknown): unknown {
    const chunk = this.#chunks.shift();
    return chunk && to(chunk);
  }

  /** Reads into `buffer`. Results in `null` at the end. */
  read(socket: BunSocketLike, buffer: Uint8Array): number | null | Promise<number | null> {
    if (this.#chunks.length > 0 || this.#ended) return this.#take(buffer);
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve(this.#take(buffer));
      };
      if (this.flowing) return;
      this.flowing = true;
      socket.resume();
    });
  }

  #take(buffer: Uint8Array): number | null {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return null;
    const count = Math.min(chunk.byteLength, buffer.length);
    buffer.set(chunk instanceof ArrayBuffer ? new Uint8Array(chunk, 0, count) : chunk.subarray(0, count));
    if (count < chunk.byteLength) {
      // Of the same kind, such as a `Buffer`.
      this.#chunks.unshift(chunk instanceof ArrayBuffer ? chunk.slice(count) : chunk.subarray(count));
    }
    return count;
  }
}
