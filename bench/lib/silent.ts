/**
 * Connections that say nothing.
 *
 * @module
 */

import { connect, libc, SOCK_STREAM, socketAddress } from "./libc.ts";
import { addressOf } from "./socket_load.ts";

/** How many are opened before the server is given time to accept them: fewer than servers let queue. */
const BATCH = 256;
const BREAK = 20;

/** Connections that are open, and say nothing. */
export class SilentConnections implements Disposable {
  readonly #server: Uint8Array<ArrayBuffer>;
  readonly #sockets: number[] = [];

  constructor(port: number) {
    this.#server = socketAddress("127.0.0.1", port);
  }

  /** How many there are. When it is set, as many are opened or closed as it takes. */
  set count(count: number) {
    while (this.#sockets.length > count) libc.close(this.#sockets.pop()!);
    while (this.#sockets.length < count) {
      const end = Math.min(count, this.#sockets.length + BATCH);
      while (this.#sockets.length < end) {
        this.#sockets.push(connect(addressOf(this.#sockets.length), this.#server, SOCK_STREAM));
      }
      for (const start = performance.now(); performance.now() - start < BREAK;);
    }
  }

  [Symbol.dispose](): void {
    this.count = 0;
  }
}
