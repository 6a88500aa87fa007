/**
 * Requests that hold slots.
 *
 * @module
 */

import type { Slot } from "../slot.ts";

/** By this name a request has its hold; with several limiters, the innermost. */
const HOLD: unique symbol = Symbol("connlimit.hold");

interface HeldRequest extends Request {
  [HOLD]?: Hold;
}

/** A request in flight, or the WebSocket that it has become, with its slot. */
export class Hold {
  readonly request: Request;
  /** What the handler has returned, if it is a promise. */
  result: PromiseLike<unknown> | undefined = undefined;
  /** Whether the runtime does not tell when the response is done; then it counts as done when it is returned. */
  endUnknown = false;
  /** On Bun, whether it has taken longer than a turn of the event loop. */
  slow = false;
  /** On Bun, how often it has been seen that the client is gone while the handler has not settled. */
  periodsGone = 0;
  readonly #slot: Slot;
  /** That of the limiter around. */
  readonly #around: Hold | undefined;
  #upgraded = false;

  constructor(request: HeldRequest, slot: Slot) {
    this.request = request;
    this.#slot = slot;
    this.#around = request[HOLD];
    try {
      request[HOLD] = this;
    } catch (error) {
      // It is frozen. Nobody would find its hold when it becomes a WebSocket.
      slot.release();
      throw error;
    }
  }

  /** The client that it is counted against. */
  get client(): string {
    return this.#slot.client;
  }

  /** The response is done. A WebSocket goes on. */
  done(): void {
    if (!this.#upgraded) this.#slot.release();
  }

  /** A request has become a WebSocket. Returns what gives back its slots, which nothing else does from now on. */
  static upgrade(request: HeldRequest): () => void {
    const holds = Hold.#all(request);
    for (const hold of holds) hold.#upgraded = true;
    return () => {
      for (const hold of holds) hold.#slot.release();
    };
  }

  /** Resolves when the handler of a request has settled, that of the outermost limiter where there are several. */
  static async settled(request: HeldRequest): Promise<void> {
    try {
      await Hold.#all(request).at(-1)?.result;
    } catch {
      // A rejection settles it as well.
    }
  }

  static #all(request: HeldRequest): Hold[] {
    const holds: Hold[] = [];
    for (let hold = request[HOLD]; hold !== undefined; hold = hold.#around) holds.push(hold);
    return holds;
  }
}
