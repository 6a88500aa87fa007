/**
 * Load over many sockets, by direct system calls. Linux only.
 *
 * @module
 */

import { libc, socketAddress } from "./libc.ts";

/** How many addresses a load comes from. */
export const SOURCES = 200;

/** An address for each client, from `127.0.0.2` on. Loads come from the first of them. */
export function addressOf(client: number): Uint8Array<ArrayBuffer> {
  const host = client + 2;
  return socketAddress(`127.${host >> 16}.${host >> 8 & 255}.${host & 255}`, 0);
}

/** Sockets that are looked after one after the other. */
export abstract class SocketLoad implements Disposable {
  /** How many sockets are open at once. They come from each of the sources in turn. */
  inFlight: number;
  /** How many connections or requests the server has served. */
  done = 0;
  protected readonly server: Uint8Array<ArrayBuffer>;
  readonly #sources = Array.from({ length: SOURCES }, (_, client) => addressOf(client));
  readonly #sockets: number[] = [];
  #turn = 0;

  constructor(port: number, inFlight: number) {
    this.server = socketAddress("127.0.0.1", port);
    this.inFlight = inFlight;
  }

  /** Opens a socket from an address. */
  protected abstract open(from: Uint8Array<ArrayBuffer>): number;

  /** Looks after a socket. Returns whether it is closed, and to be opened anew. */
  protected abstract look(socket: number, place: number): boolean;

  /** Looks after the next socket. */
  step(): void {
    const turn = this.#turn++;
    const place = turn % this.inFlight;
    const socket = this.#sockets[place];
    if (socket !== undefined && !this.look(socket, place)) return;
    this.#sockets[place] = this.open(this.#sources[turn % SOURCES]!);
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) if (socket !== undefined) libc.close(socket);
  }
}
