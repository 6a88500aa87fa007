/**
 * The share of an accept loop in the turns of the event loop.
 *
 * @module
 */

import { yieldToEventLoop } from "./yield_to_event_loop.ts";

/**
 * The part of a turn's length for which a loop may go on before it yields again. With a fixed number of connections a turn, a
 * server whose turns are long would accept so slowly that one client's refused connections keep new clients out. A quarter
 * keeps the turns of the others at four fifths of the time, and lets 8,000 connections a second be refused meanwhile.
 */
const SHARE = 0.25;

/**
 * The longest share, in milliseconds. It is enough for the 128 accepts after which Deno yields by itself, and bounds the
 * share in a turn in which the process was suspended.
 */
const MAX_SHARE_MS = 10;

/** An accept that takes longer, in milliseconds, was in the queue behind others' work. */
const ACCEPT_MS = 1;

/** Yields to the event loop, and sees to it that the loop that yields gets its share of the time. */
export class TurnShare {
  /** Whether the loop is to yield before it goes on, unless its share has time left. */
  due = false;
  #share = 0;
  /** The end of the share. */
  #end = 0;

  /** Yields if the share of the last turn is used up. */
  async yield(): Promise<void> {
    this.due = false;
    const start = performance.now();
    if (start < this.#end) return;
    await yieldToEventLoop();
    this.#renew(start, performance.now());
  }

  /** Measures a turn, and begins its share. */
  #renew(start: number, now: number): void {
    this.#share = Math.min((now - start) * SHARE, MAX_SHARE_MS);
    this.#end = now + this.#share;
  }

  /** The time before an accept; 0 if the share is too short for the runtime to yield within it. */
  beforeAccept(): number {
    return this.#share > ACCEPT_MS ? performance.now() : 0;
  }

  /** Takes the share of the last turn if the runtime has yielded within the accept. Another turn would be one too many. */
  afterAccept(start: number): void {
    if (start === 0) return;
    const now = performance.now();
    if (now - start > ACCEPT_MS) this.#renew(start, now);
  }
}
