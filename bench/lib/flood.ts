/**
 * Connections as load: a flood that opens them as fast as the server closes them, and meanwhile an established client that
 * has bytes echoed.
 *
 * Both take turns in one loop. On a machine with few cores, a process of its own for the established client would mostly
 * measure how long it waits for a core. Linux only.
 *
 * @module
 */

import { connect, libc, MSG_DONTWAIT, MSG_NOSIGNAL, SOCK_NONBLOCK, SOCK_STREAM, socketAddress } from "./libc.ts";
import { SocketLoad } from "./socket_load.ts";

/** The established client's address. */
const ESTABLISHED = "127.9.9.9";

/** Connections that are opened as fast as the server closes them. */
export class Flood extends SocketLoad {
  readonly #message = new Uint8Array(1);
  readonly #header: Uint8Array<ArrayBuffer>;

  /** @param header What each connection begins with. */
  constructor(port: number, inFlight: number, header: Uint8Array<ArrayBuffer> = new Uint8Array(0)) {
    super(port, inFlight);
    this.#header = header;
  }

  protected open(from: Uint8Array<ArrayBuffer>): number {
    const { length } = this.#header;
    if (length === 0) return connect(from, this.server, SOCK_STREAM | SOCK_NONBLOCK);
    const socket = connect(from, this.server, SOCK_STREAM);
    libc.send(socket, this.#header, BigInt(length), MSG_NOSIGNAL);
    return socket;
  }

  protected look(socket: number): boolean {
    // 0 is the end of the stream: the server has closed the connection. The client never closes first.
    if (libc.recv(socket, this.#message, 1n, MSG_DONTWAIT) !== 0n) return false;
    libc.close(socket);
    this.done++;
    return true;
  }
}

/** An established client that has one byte after the other echoed. */
export class EchoClient implements Disposable {
  /** How many milliseconds each echo took. */
  readonly times: number[] = [];
  readonly #socket: number;
  readonly #pause: number;
  readonly #message = new Uint8Array(1);
  #sent: number | undefined;
  #next = 0;

  /**
   * @param pause Milliseconds from one byte's return to the next one.
   * @param header What the connection begins with.
   */
  constructor(port: number, pause: number, header: Uint8Array<ArrayBuffer> = new Uint8Array(0)) {
    this.#socket = connect(socketAddress(ESTABLISHED, 0), socketAddress("127.0.0.1", port), SOCK_STREAM);
    libc.send(this.#socket, header, BigInt(header.length), 0);
    this.#pause = pause;
  }

  /** How long the byte that is not back yet has taken so far, if there is one. */
  waiting(): number[] {
    return this.#sent === undefined ? [] : [performance.now() - this.#sent];
  }

  /** Looks whether the byte is back, or sends the next one. */
  step(): void {
    if (this.#sent !== undefined) {
      if (libc.recv(this.#socket, this.#message, 1n, MSG_DONTWAIT) !== 1n) return;
      const now = performance.now();
      this.times.push(now - this.#sent);
      this.#sent = undefined;
      this.#next = now + this.#pause;
    }
    if (performance.now() < this.#next) return;
    this.#sent = performance.now();
    libc.send(this.#socket, this.#message, 1n, 0);
  }

  [Symbol.dispose](): void {
    libc.close(this.#socket);
  }
}
