/**
 * Requests that tracked slots.
 *
 * @module
 */

import type { Slot } from "../core/slot.ts";

/** By this name a request has its tracked; with several limiters, the innermost. */
const HOLD: unique symbol = Symbol("connlimit.tracked");

interface HeldRequest extends Request {
  [HOLD]?: InFlightRequest;
}

/** A request in flight, or the WebSocket that it has become, with its slot. */
export class InFlightRequest {
  readonly request: Request;
  /** What the handler has returned, if it is a promise. */
  result: PromiseLike<unknown> | undefined = undefined;
  /** Whether the runtime does not tell when the response is done; then it counts as done when it is returned. */
  untracked = false;
  /** On Bun, whether it has taken longer than a turn of the event loop. */
  slow = false;
  /** On Bun, how often it has been seen that the client is gone while the handler has not settled. */
  periodsGone = 0;
  readonly #slot: Slot;
  /** That of the limiter around. */
  readonly #around: InFlightRequest | undefined;
  #upgraded = false;

  constructor(request: HeldRequest, slot: Slot) {
    this.request = request;
    this.#slot = slot;
    this.#around = request[HOLD];
    try {
      request[HOLD] = this;
    } catch (error) {
      // It is frozen. Nobody would find its tracked when it becomes a WebSocket.
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
    const holds = InFlightRequest.#all(request);
    for (const tracked of holds) tracked.#upgraded = true;
    return () => {
      for (const tracked of holds) tracked.#slot.release();
    };
  }

  /** Resolves when the handler of a request has settled, that of the outermost limiter where there are several. */
  static async settled(request: HeldRequest): Promise<void> {
    try {
      await InFlightRequest.#all(request).at(-1)?.result;
    } catch {
      // A rejection settles it as well.
    }
  }

  static #all(request: HeldRequest): InFlightRequest[] {
    const holds: InFlightRequest[] = [];
    for (let tracked = request[HOLD]; tracked !== undefined; tracked = tracked.#around) holds.push(tracked);
    return holds;
  }
}
