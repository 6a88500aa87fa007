/**
 * Small messages as load: connections that each send a message, and the next one when it is back.
 *
 * @module
 */

import { connect, libc, MSG_DONTWAIT, SOCK_STREAM } from "./libc.ts";
import { SocketLoad } from "./socket_load.ts";

/** The bytes of a message. They arrive in one piece on loopback. */
const BYTES = 64;

/** Connections that have messages echoed. */
export class MessageLoad extends SocketLoad {
  readonly #message = new Uint8Array(BYTES);

  protected open(from: Uint8Array<ArrayBuffer>): number {
    const socket = connect(from, this.server, SOCK_STREAM);
    this.#send(socket);
    return socket;
  }

  protected look(socket: number): boolean {
    if (libc.recv(socket, this.#message, BigInt(BYTES), MSG_DONTWAIT) !== BigInt(BYTES)) return false;
    this.done++;
    this.#send(socket);
    return false;
  }

  #send(socket: number): void {
    libc.send(socket, this.#message, BigInt(BYTES), 0);
  }
}
