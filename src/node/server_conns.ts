/**
 * The open connections of a server, as one limiter sees them.
 *
 * @module
 */

import { setInterval } from "node:timers";
import { OPEN_CONN, OpenConn, OpenConns, type Recorded } from "../admission/open_conn.ts";
import type { Sweep } from "../core/counts.ts";
import { internalsOf } from "../core/internals.ts";
import { type Handle, hasLostDescriptor, type RawSocket } from "./descriptor.ts";
import type { ServerDeadlines } from "./server_deadlines.ts";

/** A socket that is a connection. */
export type ServerConnSocket = RawSocket & Recorded;

/** The record of a socket. */
export class ServerConn extends OpenConn {
  /** The number by which its deadlines know it; -1 while it has none. */
  entry = -1;
  /** The handle that the socket had when it was admitted. */
  #handle: Handle | null | undefined;

  constructor(socket: ServerConnSocket) {
    super(socket, socket[OPEN_CONN]);
    this.#handle = socket._handle;
  }

  /** Whether the runtime shows the descriptor. */
  get hasDescriptor(): boolean {
    return this.#handle?.fd !== undefined;
  }

  override endAlone(): void {
    super.endAlone();
    // The record lives as long as the socket, which is often longer than its handle.
    this.#handle = undefined;
  }

  /** Releases the slots of a socket that has lost its descriptor: it may never emit `"close"`. */
  endIfLost(): void {
    const socket = this.conn as ServerConnSocket;
    if (this.#handle && hasLostDescriptor(socket, this.#handle)) socket[OPEN_CONN]!.end();
  }
}

/** The period of the look at open connections. It bounds how long `stats()` lag, and a lost socket stays in memory. */
const PERIOD_MS = 1_000;

/** The number of connections that are looked at once: some tenths of a millisecond. */
const MOST = 10_000;

/** So few connections are looked at before each refusal, which takes less than reading a clock. */
const FEW = 8;

/** Connections looked at per millisecond of a flood of refusals, which takes less than a hundredth of the time. */
const RATE = 200;

/**
 * Open connections, among which those are looked for that have lost their descriptors: each second, and before a refusal.
 * Deno emits `"close"` when a socket has gone to another process. So the timer, which its tests would report as left
 * running, is only for runtimes that show descriptors.
 */
export class ServerConns extends OpenConns {
  /** Absent if there are none. */
  readonly deadlines: ServerDeadlines | undefined;
  readonly #sweeps: Set<Sweep> | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** By the wall clock, since reading the other one takes longer. */
  #sweptAt = 0;

  /** @param limiter The limiter whose slots they hold. */
  constructor(limiter: object, deadlines?: ServerDeadlines) {
    super();
    this.deadlines = deadlines;
    this.#sweeps = internalsOf(limiter)?.counts.sweeps;
  }

  override add(record: ServerConn): void {
    if (this.size === 0 && this.#timer === undefined) this.#start(record);
    super.add(record);
    this.deadlines?.add(record);
  }

  /** Gives a socket deadlines anew that has become a tunnel, if it is among these. */
  upgrade(socket: ServerConnSocket): void {
    for (let record = socket[OPEN_CONN]; record !== undefined; record = record.under) {
      if (record.isIn(this)) this.deadlines?.upgrade(record as ServerConn);
    }
  }

  override delete(record: ServerConn): void {
    super.delete(record);
    this.deadlines?.delete(record);
    // A timer goes on until it finds nothing: connections that come one at a time would start it each time.
    if (this.size === 0 && this.#timer === undefined) this.#sweeps?.delete(this.#beforeRefusal);
  }

  #start(record: ServerConn): void {
    this.#sweeps?.add(this.#beforeRefusal);
    if (!record.hasDescriptor) return;
    const timer = this.#timer = setInterval(() => {
      this.#sweep();
      if (this.size > 0) return;
      clearInterval(timer);
      this.#timer = undefined;
      this.#sweeps?.delete(this.#beforeRefusal);
    }, PERIOD_MS);
    timer.unref();
  }

  readonly #beforeRefusal = (): void => {
    if (this.size > FEW) {
      const now = Date.now();
      const elapsed = now - this.#sweptAt;
      // The clock may have been set back.
      if (elapsed >= 0 && elapsed < 1 + Math.min(this.size, MOST) / RATE) return;
      this.#sweptAt = now;
    }
    this.#sweep();
  };

  #sweep(): void {
    this.visit(MOST, endIfLost);
  }
}

function endIfLost(record: OpenConn): void {
  (record as ServerConn).endIfLost();
}
