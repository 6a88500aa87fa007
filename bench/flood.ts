/**
 * A flood of connections, as many as one core can open, a given number of them in flight; and meanwhile an established
 * client that has bytes echoed.
 *
 *   deno run -A bench/flood.ts PORT IN_FLIGHT ECHOES
 *
 * Prints how many milliseconds each echo took, one a line, and ends. With 0 echoes, floods until it is killed.
 *
 * The established client lives in the same loop, since on a machine with few cores a process of its own would mostly
 * measure how long it waits for one. Linux only.
 *
 * @module
 */

import { connect, libc, MSG_DONTWAIT, SOCK_NONBLOCK, SOCK_STREAM, socketAddress } from "./libc.ts";
import { PROBE } from "./server.ts";

/** How many addresses a flood comes from. */
export const SOURCES = 200;

/** An address for each client, from `127.0.0.2` on. Floods come from the first of them. */
export function addressOf(client: number): Uint8Array<ArrayBuffer> {
  const host = client + 2;
  return socketAddress(`127.${host >> 16}.${host >> 8 & 255}.${host & 255}`, 0);
}

/** Connections that are opened as fast as the server closes them. */
export class Flood {
  /** How many are in flight. They come from each of the sources in turn. */
  inFlight: number;
  /** How many the server has closed. */
  closed = 0;
  readonly #server: Uint8Array<ArrayBuffer>;
  readonly #sources = Array.from({ length: SOURCES }, (_, client) => addressOf(client));
  readonly #sockets: number[] = [];
  readonly #message = new Uint8Array(1);
  #turn = 0;

  constructor(port: number, inFlight: number) {
    this.#server = socketAddress("127.0.0.1", port);
    this.inFlight = inFlight;
  }

  /** Looks after one connection. */
  step(): void {
    const turn = this.#turn++;
    const place = turn % this.inFlight;
    const socket = this.#sockets[place];
    if (socket !== undefined) {
      // The end of the stream: the server has closed the connection. It is never the client that gives up.
      if (libc.recv(socket, this.#message, 1n, MSG_DONTWAIT) !== 0n) return;
      libc.close(socket);
      this.closed++;
    }
    this.#sockets[place] = connect(this.#sources[turn % SOURCES]!, this.#server, SOCK_STREAM | SOCK_NONBLOCK);
  }
}

/** An established client that has one byte after the other echoed. */
export class EchoClient {
  /** How many milliseconds each echo took. */
  readonly times: number[] = [];
  readonly #socket: number;
  readonly #pause: number;
  readonly #message = new Uint8Array(1);
  #sent: number | undefined;
  #next = 0;

  /** @param pause Milliseconds from one byte's return to the next one. */
  constructor(port: number, pause: number = 0) {
    this.#socket = connect(socketAddress(PROBE, 0), socketAddress("127.0.0.1", port), SOCK_STREAM);
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
    if (this.#pause > 0 && performance.now() < this.#next) return;
    this.#sent = performance.now();
    libc.send(this.#socket, this.#message, 1n, 0);
  }
}

if (import.meta.main) {
  const [port, inFlight, echoes] = Deno.args.map(Number) as [number, number, number];
  const client = echoes > 0 ? new EchoClient(port) : undefined;
  const flood = new Flood(port, inFlight);
  /** The first echoes are taken while the flood builds up, and do not count. */
  const warmUp = echoes / 4;
  while (client === undefined || client.times.length < warmUp + echoes) {
    flood.step();
    client?.step();
  }
  console.log(client.times.slice(warmUp).join("\n"));
}
