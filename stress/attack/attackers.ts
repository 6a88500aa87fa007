/**
 * The hostile crowd: sockets by direct system calls, all of one attack.
 *
 *   deno run -A stress/attack/attackers.ts PORT PROTOCOL ATTACK
 *
 * The command `raid` attacks for some milliseconds, leaves, and returns what was seen. The process has the lowest priority,
 * so that the server and the honest clients have the cores when they want them.
 *
 * @module
 */

import {
  connect,
  giveWay,
  libc,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  MSG_PEEK,
  reset,
  shrinkWindow,
  SHUT_WR,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  socketAddress,
} from "../../bench/lib/libc.ts";
import { serveCommands } from "../../bench/lib/commands.ts";
import { type Attack, type AttackName, ATTACKS, type Protocol } from "./attacks.ts";

/** What the crowd has seen in a burst. */
export interface Raid {
  readonly attempts: number;
  /** Attempts that got service. */
  readonly served: number;
  /** The most that one address had in service at once. */
  readonly peak: number;
}

/** Connections that the server may not have accepted yet: fewer than the system's queue takes for it. */
const IN_FLIGHT = 200;
/** Milliseconds that it is waited for one of these, by which time the server may be dead. */
const PATIENCE = 300;
/** How often, in milliseconds, a part of the sockets says something more, and how many parts there are. */
const DRIP_EVERY = 10;
const DRIP_PARTS = 10;

const [port, protocol, name] = Deno.args as [string, Protocol, AttackName];
const attack: Attack = ATTACKS[name];
/** Attempts of a burst, also where they take longer than it; but a server that lets all of them in gets no more. */
const least = attack.attempts ?? 0;
const server = socketAddress("127.0.0.1", Number(port));
const bytes = (text: string | undefined) => new TextEncoder().encode(text ?? "");
const hello = bytes(attack.hello?.[protocol]);
const drip = bytes(attack.drip?.[protocol]);
const probe = bytes(protocol === "tcp" ? "e" : "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
const buffer = new Uint8Array(64 << 10);
const sources = Array.from({ length: attack.sources }, (_, index) => socketAddress(`127.0.3.${index + 1}`, 0));
const prober = socketAddress("127.0.4.1", 0);
const WOULD_BLOCK = -1;

function send(socket: number, data: Uint8Array<ArrayBuffer>): void {
  libc.send(socket, data, BigInt(data.length), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/** How many bytes there are; 0 at the end, and a negative number where there is nothing, or a reset. */
function receive(socket: number, flags: number): number {
  return Number(libc.recv(socket, buffer, BigInt(flags === 0 ? buffer.length : 16), MSG_DONTWAIT | flags));
}

class Crowd {
  #attempts = 0;
  #served = 0;
  #peak = 0;
  /** How many each source has in service. */
  readonly #inService = new Int32Array(attack.sources);
  readonly #sockets = new Int32Array(attack.sockets).fill(-1);
  readonly #leaveAt = new Float64Array(attack.sockets);
  #probe = -1;
  #probedAt = 0;
  #sinceProbe = 0;
  #start = 0;

  raid(milliseconds: number): Raid {
    this.#start = performance.now();
    const end = this.#start + milliseconds;
    let dripAt = performance.now() + DRIP_EVERY;
    let part = 0;
    let busyAt = end;
    for (let now; (now = performance.now()) < end || this.#attempts < least && now - busyAt < PATIENCE;) {
      if (least > 0 && this.#attempts >= least) break;
      let busy = false;
      for (let place = 0; place < attack.sockets; place++) {
        if (this.#sockets[place] === -1) busy = this.#open(place, now) || busy;
        else busy = this.#look(place, now) || busy;
      }
      if (drip.length > 0 && now >= dripAt) {
        dripAt = now + DRIP_EVERY;
        for (let place = ++part % DRIP_PARTS; place < attack.sockets; place += DRIP_PARTS) {
          if (this.#sockets[place] !== -1) send(this.#sockets[place]!, drip);
        }
      }
      if (busy) busyAt = now;
      else libc.poll(buffer, 0n, 1);
    }
    this.#leave();
    return { attempts: this.#attempts, served: this.#served, peak: this.#peak };
  }

  #open(place: number, now: number): boolean {
    const { rate = Infinity } = attack;
    if (this.#attempts >= (now - this.#start) / 1_000 * rate || !this.#mayGoOn(now)) return false;
    this.#attempts++;
    const socket = connect(sources[place % attack.sources]!, server, SOCK_STREAM | SOCK_NONBLOCK, shrinkWindow);
    if (attack.resets) {
      reset(socket);
      return true;
    }
    this.#sockets[place] = socket;
    this.#leaveAt[place] = 0;
    if (hello.length > 0) send(socket, hello);
    if (attack.fin) libc.shutdown(socket, SHUT_WR);
    return true;
  }

  /** After so many there is one that asks: when it is answered or closed, those before it have been accepted too. */
  #mayGoOn(now: number): boolean {
    if (this.#probe !== -1) {
      if (receive(this.#probe, 0) < 0 && now - this.#probedAt < PATIENCE) return false;
      reset(this.#probe);
      this.#probe = -1;
    }
    if (++this.#sinceProbe < IN_FLIGHT) return true;
    this.#sinceProbe = 0;
    this.#probe = connect(prober, server, SOCK_STREAM | SOCK_NONBLOCK);
    this.#probedAt = now;
    send(this.#probe, probe);
    return false;
  }

  /** They leave no faster than they have come, half of them by a reset. */
  #leave(): void {
    for (let place = 0; place < attack.sockets;) {
      if (!this.#mayGoOn(performance.now())) libc.poll(buffer, 0n, 1);
      else if (this.#sockets[place++] !== -1) this.#end(place - 1, place % 2 === 0);
    }
    if (this.#probe !== -1) reset(this.#probe);
  }

  #look(place: number, now: number): boolean {
    const socket = this.#sockets[place]!;
    const leaveAt = this.#leaveAt[place]!;
    const served = leaveAt !== 0;
    if (served && now >= leaveAt) {
      this.#end(place, now % 2 < 1);
      return true;
    }
    // Who never reads has nothing more to see.
    if (attack.fin || served && !attack.reads) return false;
    const count = receive(socket, attack.reads ? 0 : MSG_PEEK);
    if (count === WOULD_BLOCK) return false;
    const answered = count > 0 && (served || protocol === "tcp" || count < 12 || buffer[9] === "2".charCodeAt(0));
    if (!answered) {
      this.#end(place, true);
    } else if (!served) {
      this.#serve(place, now);
    }
    return true;
  }

  #serve(place: number, now: number): void {
    this.#served++;
    this.#peak = Math.max(this.#peak, ++this.#inService[place % attack.sources]!);
    this.#leaveAt[place] = attack.served === "leave" ? now + 5 + 45 * Math.random() : Infinity;
    if (attack.served === "reset") this.#end(place, true);
  }

  #end(place: number, byReset: boolean): void {
    const socket = this.#sockets[place]!;
    if (this.#leaveAt[place] !== 0) this.#inService[place % attack.sources]!--;
    this.#sockets[place] = -1;
    this.#leaveAt[place] = 0;
    if (byReset) reset(socket);
    else libc.close(socket);
  }
}

giveWay();
serveCommands(null, { raid: (milliseconds: number) => new Crowd().raid(milliseconds) });
