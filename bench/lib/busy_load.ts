/**
 * The load of a busy server: established clients that keep it working, one address that connects again and again, and
 * newcomers with an address each, who want one byte echoed.
 *
 *   deno run -A bench/lib/busy_load.ts
 *
 * It has one core to itself, and the server has the others. Linux only.
 *
 * @module
 */

import { serveCommands } from "./commands.ts";
import { CORES, pin } from "./cpu.ts";
import { connect, libc, MSG_DONTWAIT, MSG_NOSIGNAL, reset, SOCK_NONBLOCK, SOCK_STREAM, socketAddress } from "./libc.ts";
import { addressOf } from "./socket_load.ts";

/** What the clients do. */
export interface BusyPlan {
  readonly port: number;
  /** The server's process. */
  readonly pid: number;
  /** The clients that keep the server working, and how many quarters of a millisecond each of their messages takes. */
  readonly established: number;
  readonly work: number;
  /** Connections a second besides, and what they do. */
  readonly rate: number;
  readonly knock: Knock;
  /** Milliseconds that do not count, and milliseconds that do. */
  readonly warmUp: number;
  readonly window: number;
}

/** One address waits to be closed each time, or resets at once; or many addresses are admitted, and close. */
export type Knock = "refused" | "reset" | "admitted";

/** What was seen. */
export interface BusyObservation {
  /** Milliseconds from a newcomer's connect to its echo. Those that wait in the end count as they are. */
  readonly newcomers: readonly number[];
  /** Milliseconds of each echo of the established clients. */
  readonly echoes: readonly number[];
  /** Connections of the one address that were made. */
  readonly knocks: number;
}

/** Newcomers that are there at once, and milliseconds from one's echo to the next one's connect. */
const NEWCOMERS = 4;
const NEWCOMER_PAUSE = 20;
/** Milliseconds from an echo to the next byte, as on a network. Without, Deno would read on and never turn to others. */
const PAUSE = 20;
/** Knocks that wait to be closed at most. */
const MOST_WAITING = 10_000;
/** How many of those are looked at in a step. */
const LOOKS = 16;

const message = new Uint8Array(1);
const NOTHING = -1n;

function say(socket: number, byte: number): boolean {
  message[0] = byte;
  return libc.send(socket, message, 1n, MSG_DONTWAIT | MSG_NOSIGNAL) === 1n;
}

function hear(socket: number): bigint {
  return libc.recv(socket, message, 1n, MSG_DONTWAIT);
}

/** A client that has one byte after the other echoed; a newcomer does so once on each connection. */
class Client implements Disposable {
  readonly times: number[] = [];
  #socket = -1;
  #since = 0;
  #said = false;
  #due = 0;
  readonly #from: () => Uint8Array<ArrayBuffer>;
  readonly #server: Uint8Array<ArrayBuffer>;
  readonly #work: number;
  readonly #stays: boolean;

  constructor(from: () => Uint8Array<ArrayBuffer>, server: Uint8Array<ArrayBuffer>, work: number, stays: boolean) {
    [this.#from, this.#server, this.#work, this.#stays] = [from, server, work, stays];
  }

  step(now: number): void {
    if (now < this.#due) return;
    if (this.#since === 0) this.#since = now;
    if (this.#socket === -1) this.#socket = connect(this.#from(), this.#server, SOCK_STREAM | SOCK_NONBLOCK);
    // A connection that the kernel has not made yet takes no byte.
    if (!this.#said) this.#said = say(this.#socket, this.#work);
    const heard = hear(this.#socket);
    if (heard === NOTHING) return;
    if (heard !== 1n) throw new Error("a polite client was refused");
    this.times.push(performance.now() - this.#since);
    this.#since = 0;
    this.#said = false;
    this.#due = now + (this.#stays ? PAUSE : NEWCOMER_PAUSE);
    if (!this.#stays) this[Symbol.dispose]();
  }

  /** How long the echo under way has taken so far. */
  waiting(): number[] {
    return this.#since === 0 ? [] : [performance.now() - this.#since];
  }

  [Symbol.dispose](): void {
    if (this.#socket !== -1) libc.close(this.#socket);
    this.#socket = -1;
  }
}

/** Connections at a steady rate. */
class Knocks implements Disposable {
  made = 0;
  readonly #waiting: number[] = [];
  readonly #plan: BusyPlan;
  readonly #server: Uint8Array<ArrayBuffer>;
  #next = performance.now();
  #at = 0;

  constructor(plan: BusyPlan, server: Uint8Array<ArrayBuffer>) {
    [this.#plan, this.#server] = [plan, server];
  }

  step(now: number): void {
    const { rate, knock } = this.#plan;
    // Who is late does not make up for it by a burst.
    this.#next = Math.max(this.#next, now - 20);
    while (this.#next <= now && this.#waiting.length < MOST_WAITING) {
      this.#next += 1_000 / rate;
      const from = addressOf(knock === "admitted" ? 1_000 + this.made % 1_000 : 999);
      const socket = connect(from, this.#server, SOCK_STREAM | SOCK_NONBLOCK);
      this.made++;
      if (knock === "reset") reset(socket);
      else if (knock === "admitted") libc.close(socket);
      else this.#waiting.push(socket);
    }
    for (let looks = 0; looks < LOOKS && this.#waiting.length > 0; looks++) {
      const place = this.#at = (this.#at + 1) % this.#waiting.length;
      if (hear(this.#waiting[place]!) === NOTHING) continue;
      libc.close(this.#waiting[place]!);
      const last = this.#waiting.pop()!;
      if (place < this.#waiting.length) this.#waiting[place] = last;
    }
  }

  [Symbol.dispose](): void {
    for (const socket of this.#waiting) libc.close(socket);
  }
}

function observe(plan: BusyPlan): BusyObservation {
  pin(plan.pid, CORES);
  const server = socketAddress("127.0.0.1", plan.port);
  let address = 10_000;
  using stack = new DisposableStack();
  const client = (work: number, stays: boolean) =>
    stack.use(new Client(() => addressOf(++address), server, work, stays));
  const established = Array.from({ length: plan.established }, () => client(plan.work, true));
  // Once each of them has been served, they are established.
  while (established.some(({ times }) => times.length === 0)) {
    for (const one of established) one.step(performance.now());
  }
  const newcomers = Array.from({ length: NEWCOMERS }, () => client(0, false));
  const knocks = stack.use(new Knocks(plan, server));
  const run = (milliseconds: number) => {
    const end = performance.now() + milliseconds;
    for (let now; (now = performance.now()) < end;) {
      knocks.step(now);
      for (const one of established) one.step(now);
      for (const one of newcomers) one.step(now);
    }
  };
  run(plan.warmUp);
  const clients = [...established, ...newcomers];
  const before = clients.map(({ times }) => times.length);
  const made = knocks.made;
  run(plan.window);
  const seen = clients.map((one, index) => [...one.times.slice(before[index]), ...one.waiting()]);
  return {
    echoes: seen.slice(0, plan.established).flat(),
    newcomers: seen.slice(plan.established).flat(),
    knocks: knocks.made - made,
  };
}

pin(Deno.pid, [0]);
serveCommands(null, { observe });
