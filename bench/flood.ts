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

const [port, inFlight, echoes] = Deno.args.map(Number) as [number, number, number];

const server = socketAddress("127.0.0.1", port);
const open = (from: Uint8Array<ArrayBuffer>, type: number) => connect(from, server, type);

const client = echoes > 0 ? open(socketAddress(PROBE, 0), SOCK_STREAM) : undefined;
const message = new Uint8Array(1);
const sources = Array.from({ length: 200 }, (_, index) => socketAddress(`127.0.0.${index + 2}`, 0));
const sockets: number[] = [];
const times: number[] = [];
/** The first echoes are taken while the flood builds up, and do not count. */
const warmUp = echoes / 4;
let sent = 0;

for (let i = 0; client === undefined || times.length < warmUp + echoes; i++) {
  const place = i % inFlight;
  const socket = sockets[place];
  // The end of the stream: the server has closed the connection. It is never the client that gives up.
  const ended = socket !== undefined && libc.recv(socket, message, 1n, MSG_DONTWAIT) === 0n;
  if (ended) libc.close(socket);
  if (ended || socket === undefined) {
    sockets[place] = open(sources[i % sources.length]!, SOCK_STREAM | SOCK_NONBLOCK);
  }

  if (client === undefined) continue;
  if (sent === 0 || libc.recv(client, message, 1n, MSG_DONTWAIT) === 1n) {
    const now = performance.now();
    if (sent !== 0) times.push(now - sent);
    libc.send(client, message, 1n, 0);
    sent = now;
  }
}
console.log(times.slice(warmUp).join("\n"));
