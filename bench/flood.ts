/**
 * A flood of connections, as many as one core can open, a given number of them in flight; and meanwhile an established
 * client that has bytes echoed.
 *
 *   deno run -A bench/flood.ts PORT IN_FLIGHT ECHOES
 *
 * Prints how many milliseconds each echo took, one a line, and ends. With 0 echoes, floods until it is killed.
 *
 * The system calls are made directly: Deno's and Node's own sockets cost the client three times what they cost the server,
 * and a flood that the server keeps up with shows nothing. The established client lives in the same loop, since on a
 * machine with few cores a process of its own would mostly measure how long it waits for one. Linux only.
 *
 * @module
 */

import { PROBE } from "./server.ts";

const [port, inFlight, echoes] = Deno.args.map(Number) as [number, number, number];

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const MSG_DONTWAIT = 0x40;

const libc = Deno.dlopen("libc.so.6", {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
}).symbols;

/** A `struct sockaddr_in`: the family in the machine's byte order, the rest in the network's. */
function address(ip: string, port: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_INET, true);
  view.setUint16(2, port);
  bytes.set(ip.split(".").map(Number), 4);
  return bytes;
}

const server = address("127.0.0.1", port);

function connect(source: Uint8Array<ArrayBuffer>, type: number): number {
  const socket = libc.socket(AF_INET, type, 0);
  libc.bind(socket, source, 16);
  libc.connect(socket, server, 16);
  return socket;
}

const client = echoes > 0 ? connect(address(PROBE, 0), SOCK_STREAM) : undefined;
const message = new Uint8Array(1);
const sources = Array.from({ length: 200 }, (_, index) => address(`127.0.0.${index + 2}`, 0));
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
    sockets[place] = connect(sources[i % sources.length]!, SOCK_STREAM | SOCK_NONBLOCK);
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
