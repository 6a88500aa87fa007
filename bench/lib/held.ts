/**
 * Connections that are held open.
 *
 * @module
 */

import { connect, libc, MSG_DONTWAIT, SOCK_STREAM, socketAddress } from "./libc.ts";
import { addressOf } from "./socket_load.ts";

/** How many connections are opened before the first of them is asked for its echo: fewer than servers let queue. */
const BATCH = 256;
/** Milliseconds in which a connection must have been admitted. */
const PATIENCE = 10_000;

/** Connections to a server that echoes, each of a client of its own. All are known to be admitted. */
export class HeldConnections implements Disposable {
  readonly #server: Uint8Array<ArrayBuffer>;
  readonly #firstClient: number;
  readonly #sockets: number[] = [];
  readonly #message = new Uint8Array(1);

  constructor(port: number, firstClient: number) {
    this.#server = socketAddress("127.0.0.1", port);
    this.#firstClient = firstClient;
  }

  /** How many there are. When it is set, as many are opened or closed as it takes. */
  get count(): number {
    return this.#sockets.length;
  }

  set count(count: number) {
    while (this.count > count) libc.close(this.#sockets.pop()!);
    while (this.count < count) {
      const first = this.count;
      const end = Math.min(count, first + BATCH);
      for (let index = first; index < end; index++) this.#sockets.push(this.#open(index));
      for (let index = first; index < end; index++) this.#awaitEcho(index);
    }
  }

  #open(index: number): number {
    const socket = connect(addressOf(this.#firstClient + index), this.#server, SOCK_STREAM);
    if (socket < 0) throw new Error(`no descriptor left for the connection ${index}`);
    libc.send(socket, this.#message, 1n, 0);
    return socket;
  }

  /** Opens a refused one anew: where such a client was here before, its connection may not have been closed yet. */
  #awaitEcho(index: number): void {
    const deadline = performance.now() + PATIENCE;
    while (performance.now() < deadline) {
      const socket = this.#sockets[index]!;
      const count = libc.recv(socket, this.#message, 1n, MSG_DONTWAIT);
      if (count === 1n) return;
      if (count === 0n) {
        libc.close(socket);
        this.#sockets[index] = this.#open(index);
      }
    }
    throw new Error(`the connection ${index} was not admitted`);
  }

  [Symbol.dispose](): void {
    this.count = 0;
  }
}
