/**
 * The honest clients, each from an address of its own, with one connection that is kept and asks every 25 ms, and
 * another that is opened every 100 ms, asks once and is closed. So each of them has two at most.
 *
 *   deno run -A stress/attack/honest_clients.ts PORT PROTOCOL
 *
 * The first line comes when all are connected. Commands: `measure`, `leave`, and `report`, which returns the figures since
 * `measure`, when all that was asked has been answered or given up. Nothing is asked until the next `measure`.
 *
 * All clients are one thread that waits in `poll()`: in a runtime's event loop, they would measure that loop as well.
 *
 * @module
 */

import {
  connect,
  libc,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  POLLIN,
  POLLOUT,
  reset,
  SHUT_WR,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  socketAddress,
} from "../../bench/lib/libc.ts";
import { printLine } from "../../bench/lib/commands.ts";
import { HONEST_CLIENTS, type Protocol } from "./attacks.ts";
import { nothingSeen, type Seen } from "./seen.ts";

const ESTABLISHED_EVERY = 25;
const FRESH_EVERY = 100;
/** Milliseconds after which an attempt has failed. Long enough for a connection that the kernel tries three times. */
const PATIENCE = 4_000;

const [port, protocol] = Deno.args as [string, Protocol];
const server = socketAddress("127.0.0.1", Number(port));
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const ask = (more: string) =>
  encoder.encode(protocol === "tcp" ? "e" : `GET / HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`);
const HELLO = { established: ask(""), fresh: ask("Connection: close\r\n") };
const END = protocol === "tcp" ? "e" : "hello\n";
const buffer = new Uint8Array(4096);

let measuring = false;
let leaving = false;
let seen = nothingSeen();

/** One connection of a honest client. */
class Client {
  socket = -1;
  state: "idle" | "connecting" | "asking" | "ending" = "idle";
  readonly #kind: keyof Seen;
  readonly #from: Uint8Array<ArrayBuffer>;
  readonly #every: number;
  #due: number;
  /** When the attempt under way was due. */
  #start = 0;
  /** When the next was due, where that was before the last was answered: it counts as waiting from then on. */
  #late: number | undefined;
  #answer = "";
  #counts = false;

  constructor(kind: keyof Seen, index: number, due: number) {
    this.#kind = kind;
    this.#from = socketAddress(`127.0.2.${index + 1}`, 0);
    this.#every = kind === "fresh" ? FRESH_EVERY : ESTABLISHED_EVERY;
    this.#due = due;
  }

  /** The moment at which there is something to do, whether or not something comes. */
  get deadline(): number {
    if (this.state !== "idle") return this.#start + PATIENCE;
    return asks(this.#kind) ? this.#due : Infinity;
  }

  get idle(): boolean {
    return this.state === "idle";
  }

  turn(now: number): void {
    if (!this.idle) return this.#fail("no answer");
    this.#start = this.#late ?? now;
    this.#late = undefined;
    this.#due += this.#every * Math.max(1, Math.ceil((now - this.#due) / this.#every));
    this.#counts = measuring;
    if (this.#counts) seen[this.#kind].attempts++;
    this.#answer = "";
    if (this.socket === -1) this.socket = connect(this.#from, server, SOCK_STREAM | SOCK_NONBLOCK);
    if (!this.#ask()) this.state = "connecting";
  }

  #ask(): boolean {
    const hello = HELLO[this.#kind];
    if (libc.send(this.socket, hello, BigInt(hello.length), MSG_DONTWAIT | MSG_NOSIGNAL) < 0n) return false;
    this.state = "asking";
    return true;
  }

  /** Something has happened to the socket. */
  look(now: number): void {
    if (this.state === "connecting") {
      if (!this.#ask()) this.#fail("no connection");
      return;
    }
    const count = Number(libc.recv(this.socket, buffer, BigInt(buffer.length), MSG_DONTWAIT));
    if (count <= 0) return this.state === "asking" ? this.#fail(count === 0 ? "closed" : "reset") : this.#close();
    this.#answer += decoder.decode(buffer.subarray(0, count));
    if (this.state === "asking" && this.#answer.endsWith(END)) this.#answered(now);
  }

  #answered(now: number): void {
    if (this.#counts) {
      seen[this.#kind].served++;
      seen[this.#kind].times.push(now - this.#start);
    }
    this.state = "idle";
    if (this.#due < now) this.#late = this.#due;
    if (this.#kind === "fresh") this.leave();
  }

  /** The connection is closed when the server has closed it: then it is counted no more. */
  leave(): void {
    if (this.socket === -1) return;
    libc.shutdown(this.socket, SHUT_WR);
    this.#start = performance.now();
    this.state = "ending";
  }

  #close(close: (socket: number) => void = libc.close): void {
    close(this.socket);
    this.socket = -1;
    this.state = "idle";
  }

  #fail(how: string): void {
    if (this.#counts && this.state !== "ending") {
      const { failures } = seen[this.#kind];
      const said = this.#answer === "" ? how : `${how} after ${this.#answer.slice(0, 12)}`;
      failures[said] = (failures[said] ?? 0) + 1;
    }
    // The server is to notice at once, or this one would have more than it knows of.
    this.#close(reset);
    this.#due = performance.now() + FRESH_EVERY;
  }
}

const ids = Array.from({ length: HONEST_CLIENTS }, (_, index) => index);
const start = performance.now();
const established = ids.map((index) =>
  new Client("established", index, start + index / HONEST_CLIENTS * ESTABLISHED_EVERY)
);
const fresh = ids.map((index) => new Client("fresh", index, start + index / HONEST_CLIENTS * FRESH_EVERY));
const clients = [...established, ...fresh];
let asking = true;
let ready = false;

function asks(kind: keyof Seen): boolean {
  return asking && !leaving && (ready || kind === "established");
}

const waiting: Client[] = [];
const polled = new Int32Array(2 * (clients.length + 1));
const events = new Int16Array(polled.buffer);

/** What is to be done when all have been answered. */
let then: (() => void) | undefined = () => {
  ready = true;
  printLine("ready");
};

const COMMANDS: Readonly<Record<string, () => void>> = {
  measure() {
    seen = nothingSeen();
    asking = measuring = true;
    printLine("measuring");
  },
  report() {
    asking = measuring = false;
    then = () => printLine(seen);
  },
  leave() {
    leaving = true;
    for (const client of established) client.leave();
    then = () => printLine("left");
  },
};

function runCommands(): void {
  const count = Deno.stdin.readSync(buffer);
  if (count === null) Deno.exit();
  for (const line of decoder.decode(buffer.subarray(0, count)).split("\n")) {
    if (line !== "") COMMANDS[(JSON.parse(line) as [name: string])[0]]!();
  }
}

for (;;) {
  const now = performance.now();
  let next = now + PATIENCE;
  waiting.length = 0;
  for (const client of clients) {
    if (client.deadline <= now) client.turn(now);
    next = Math.min(next, client.deadline);
    if (client.idle) continue;
    polled[2 * waiting.length] = client.socket;
    events[4 * waiting.length + 2] = client.state === "connecting" ? POLLOUT : POLLIN;
    waiting.push(client);
  }
  if (
    then !== undefined &&
    (ready ? waiting.length === 0 : established.every(({ socket, idle }) => socket !== -1 && idle))
  ) {
    then();
    then = undefined;
  }
  const stdin = waiting.length;
  polled[2 * stdin] = 0;
  events[4 * stdin + 2] = POLLIN;
  libc.poll(
    events as unknown as Uint8Array<ArrayBuffer>,
    BigInt(stdin + 1),
    Math.max(0, Math.ceil(next - performance.now())),
  );
  const woken = performance.now();
  waiting.forEach((client, index) => {
    if (events[4 * index + 3] !== 0) client.look(woken);
  });
  if (events[4 * stdin + 3] !== 0) runCommands();
}
