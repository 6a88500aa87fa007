/**
 * HTTP requests as load: connections that each send the next request when the last response is complete.
 *
 * A response is short enough to be recognised by its last bytes. Linux only.
 *
 * @module
 */

import { connect, libc, MSG_DONTWAIT, MSG_NOSIGNAL, SOCK_STREAM } from "./libc.ts";
import { SocketLoad } from "./socket_load.ts";

/** As a proxy sends it, for the servers that ask who is behind it. */
const REQUEST = new TextEncoder().encode(
  "GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n",
);
const CR = 13;
const LF = 10;
const H = 72;
const TWO = 50;
/** Where the status code begins in `HTTP/1.1 200 OK`. */
const STATUS = 9;

/** Requests over connections that are kept alive, unless the server refuses. */
export class HttpLoad extends SocketLoad {
  /** Whether the response under way is a refusal, by place. */
  readonly #refused: boolean[] = [];
  readonly #buffer = new Uint8Array(1 << 10);

  protected open(from: Uint8Array<ArrayBuffer>): number {
    const socket = connect(from, this.server, SOCK_STREAM);
    send(socket);
    return socket;
  }

  protected look(socket: number, place: number): boolean {
    const count = Number(libc.recv(socket, this.#buffer, BigInt(this.#buffer.length), MSG_DONTWAIT));
    if (count < 0) return false;
    if (count > 0) {
      if (this.#buffer[0] === H) this.#refused[place] = this.#buffer[STATUS] !== TWO;
      // Both the head and the body end with a line feed, but only the head has a carriage return before it.
      if (this.#buffer[count - 1] !== LF || this.#buffer[count - 2] === CR) return false;
      this.done++;
      if (!this.#refused[place]) {
        send(socket);
        return false;
      }
    }
    // A refusal says `Connection: close`.
    libc.close(socket);
    return true;
  }
}

function send(socket: number): void {
  libc.send(socket, REQUEST, BigInt(REQUEST.length), MSG_DONTWAIT | MSG_NOSIGNAL);
}
