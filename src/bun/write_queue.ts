/**
 * The writing side of a Bun connection: a queue of writes that wait until the socket has room.
 *
 * @module
 */

import { badResource, interrupted, systemError } from "../conn/deno_errors.ts";
import { typeError } from "../core/validate.ts";
import type { BunSocketLike } from "./native.ts";
import { TLS_WRITE_BYTES } from "./tls_linger.ts";

/** A waiting `write()` or `closeWrite()`. */
interface PendingWrite {
  /** For `closeWrite()`, what is called right before. */
  readonly data: Uint8Array | (() => void);
  resolve(count: number): void;
  reject(error: Error): void;
}

/** Bun does not buffer data for which a socket has no room. This queue keeps it until `drain`. */
export class WriteQueue {
  readonly #socket: BunSocketLike;
  /** The most bytes that the socket is given at a time. */
  readonly #most: number;
  #writes: PendingWrite[] = [];
  /** Whether the socket has no room. Before the end of the TLS handshake it has none. */
  #full: boolean;
  #end: "closed" | (() => Error) | undefined;

  /** @param tls Whether the first write waits for {@linkcode WriteQueue.drain}, as the TLS handshake requires. */
  constructor(socket: BunSocketLike, tls: boolean) {
    this.#socket = socket;
    this.#most = tls ? TLS_WRITE_BYTES : Infinity;
    this.#full = tls;
  }

  /** Whether writes wait for room. */
  get waits(): boolean {
    return this.#writes.length > 0;
  }

  /** Writes some of `data` after all earlier writes. Resolves to the number of bytes written. */
  write(data: Uint8Array): Promise<number> {
    if (!(data instanceof Uint8Array)) return Promise.reject(typeError("data", "a Uint8Array", data));
    if (!this.#full && this.#end === undefined && data.length > 0) {
      const count = this.#send(data);
      if (count > 0) return Promise.resolve(count);
      this.#full = count === 0;
    }
    return this.#enqueue(data);
  }

  /** Closes the socket for writing after all earlier writes, and calls a function right before. */
  async closeWrite(before: () => void): Promise<void> {
    await this.#enqueue(before);
  }

  /** Performs waiting writes, now that the socket has room. Bun also calls `drain` when nothing waits. */
  drain(): void {
    this.#full = false;
    for (let write; (write = this.#writes[0]) !== undefined;) {
      if (!this.#settle(write)) return;
      this.#writes.shift();
    }
  }

  /** Ends the queue. All waiting and later writes reject. */
  finish(end: "closed" | (() => Error)): void {
    if (this.#end === "closed") return;
    this.#end = end;
    const writes = this.#writes;
    this.#writes = [];
    for (const { reject } of writes) {
      reject(end === "closed" ? interrupted() : end());
    }
  }

  #enqueue(data: PendingWrite["data"]): Promise<number> {
    if (this.#end === "closed") return Promise.reject(badResource());
    if (this.#end !== undefined) return Promise.reject(this.#end());
    return new Promise((resolve, reject) => {
      this.#writes.push({ data, resolve, reject });
      if (!this.#full) this.drain();
    });
  }

  /** Returns what `write()` of the socket does. */
  #send(data: Uint8Array): number {
    if (data.length <= this.#most) return this.#socket.write(data);
    let sent = 0;
    while (sent < data.length) {
      const count = this.#socket.write(data.subarray(sent, sent + this.#most));
      if (count <= 0) return sent === 0 ? count : sent;
      sent += count;
    }
    return sent;
  }

  /** Performs a waiting write. Returns `false` if the socket still has no room. */
  #settle({ data, resolve, reject }: PendingWrite): boolean {
    if (typeof data === "function" || data.length === 0) {
      if (typeof data === "function") {
        data();
        this.#socket.shutdown();
      }
      resolve(0);
      return true;
    }
    const count = this.#send(data);
    if (count > 0) resolve(count);
    if (count < 0) reject(systemError("BrokenPipe", "the connection is closed for writing"));
    this.#full = count === 0;
    return !this.#full;
  }
}
