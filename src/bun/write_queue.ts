/**
 * The writing side of a Bun connection: turns `write()` into writes that wait until the socket has room.
 *
 * @module
 */

import { badResource, interrupted, systemError } from "../conn/deno_errors.ts";
import type { BunSocketLike } from "./native.ts";

/** A `write()` that waits, or a `closeWrite()` behind writes that do, which has no data. */
interface PendingWrite {
  readonly data: Uint8Array | undefined;
  resolve(count: number): void;
  reject(error: Error): void;
}

/** Bun keeps nothing of what a socket has no room for; so this keeps it until `drain`. */
export class WriteQueue {
  readonly #socket: BunSocketLike;
  #writes: PendingWrite[] = [];
  /** Whether the socket has no room, or has not finished the handshake of TLS. */
  #full: boolean;
  #end: "closed" | (() => Error) | undefined;

  /** @param full Whether to wait for a first {@linkcode WriteQueue.drain}. */
  constructor(socket: BunSocketLike, full: boolean) {
    this.#socket = socket;
    this.#full = full;
  }

  /** Writes some of `data`, in the order of the calls, and says how many bytes. */
  write(data: Uint8Array): Promise<number> {
    if (!this.#full && this.#end === undefined && data.length > 0) {
      const count = this.#socket.write(data);
      if (count > 0) return Promise.resolve(count);
      this.#full = count === 0;
    }
    return this.#enqueue(data);
  }

  /** Closes the socket for writing, behind all writes. */
  async closeWrite(): Promise<void> {
    await this.#enqueue(undefined);
  }

  /** The socket has room. Bun says so also where nothing is waiting. */
  drain(): void {
    this.#full = false;
    for (let write; (write = this.#writes[0]) !== undefined;) {
      if (!this.#settle(write)) return;
      this.#writes.shift();
    }
  }

  /** Nothing more can be written. */
  finish(end: "closed" | (() => Error)): void {
    if (this.#end === "closed") return;
    this.#end = end;
    const writes = this.#writes;
    this.#writes = [];
    for (const { reject } of writes) {
      reject(end === "closed" ? interrupted() : end());
    }
  }

  #enqueue(data: Uint8Array | undefined): Promise<number> {
    if (this.#end === "closed") return Promise.reject(badResource());
    if (this.#end !== undefined) return Promise.reject(this.#end());
    return new Promise((resolve, reject) => {
      this.#writes.push({ data, resolve, reject });
      if (!this.#full) this.drain();
    });
  }

  /** Whether a write is done with, one way or the other. */
  #settle({ data, resolve, reject }: PendingWrite): boolean {
    if (data === undefined || data.length === 0) {
      if (data === undefined) this.#socket.shutdown();
      resolve(0);
      return true;
    }
    const count = this.#socket.write(data);
    if (count > 0) resolve(count);
    if (count < 0) reject(systemError("BrokenPipe", "the connection is closed for writing"));
    this.#full = count === 0;
    return !this.#full;
  }
}
