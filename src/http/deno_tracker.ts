/**
 * Tracks the requests of `Deno.serve`, and of other callers that pass the same arguments to a fetch handler.
 *
 * @module
 */

import { setInterval } from "node:timers";
import { isThenable } from "../admission/hooks.ts";
import { identify, type Peer, type RemoteAddr } from "../core/peer.ts";
import type { InFlightRequest } from "./in_flight_request.ts";
import { runtimeSignal } from "./request_signal.ts";
import type { RequestTracker } from "./request_tracker.ts";
import { isLimitedUpgrade } from "./upgrade_web_socket.ts";

/** The second argument that `Deno.serve` passes to a fetch handler. */
export interface ServeInfo {
  /** The client's address. */
  readonly remoteAddr: RemoteAddr;
  /** Settles when the response has ended or the client has left. If absent, a request ends when its handler settles. */
  readonly completed?: Promise<void>;
}

/**
 * The period of the timer that looks for clients that left before their handlers settled. It reads `request.signal` at
 * its second tick, 5 to 10 seconds after the handler returned. Deno prints a warning if a handler succeeds after that
 * read, and few handlers take that long.
 */
const ABORT_CHECK_MS = 5_000;

/** The {@linkcode RequestTracker} for Deno. `completed` reports the end of every request whose handler settles. */
export class DenoTracker implements RequestTracker<ServeInfo> {
  /** Requests whose handlers have returned promises, and whether the timer has ticked since. */
  readonly #waiting = new Map<InFlightRequest, boolean>();
  #timer: ReturnType<typeof setInterval> | undefined;

  peerOf(_request: Request, info: ServeInfo): Peer | undefined {
    return info;
  }

  whyUnknown(_request: Request, info: ServeInfo): string | undefined {
    if ((info as Partial<ServeInfo> | null | undefined)?.remoteAddr === undefined) return NO_ADDRESS;
    return identify(info) === undefined ? UNKNOWN_ADDRESS : undefined;
  }

  start(inFlight: InFlightRequest): void {
    const done = () => this.#done(inFlight);
    completedOf(inFlight)?.then(done, done);
  }

  handlerReturned(inFlight: InFlightRequest, result: unknown, unlimited: (why: string) => void): void {
    const completed = completedOf(inFlight);
    if (completed === undefined && REPORTS_ENDS) unlimited(NO_END);
    if (!isThenable(result)) {
      if (isForeignUpgrade(result)) unlimited(FOREIGN_UPGRADE);
      if (completed === undefined) this.#done(inFlight);
      return;
    }
    inFlight.result = result;
    this.#waiting.set(inFlight, false);
    this.#timer ??= this.#startTimer();
    result.then((response) => isForeignUpgrade(response) && unlimited(FOREIGN_UPGRADE), () => {});
    if (completed !== undefined) return;
    const done = () => this.#done(inFlight);
    result.then(done, done);
  }

  #done(inFlight: InFlightRequest): void {
    this.#waiting.delete(inFlight);
    inFlight.done();
  }

  /**
   * `completed` does not settle before the handler does, even if the client has left. If a handler never settles, only
   * the request's signal reports that its client has left.
   */
  #startTimer(): ReturnType<typeof setInterval> {
    const timer = setInterval(() => {
      for (const [inFlight, ticked] of this.#waiting) {
        if (ticked) this.#watchSignal(inFlight);
        else this.#waiting.set(inFlight, true);
      }
      if (this.#waiting.size > 0) return;
      clearInterval(timer);
      this.#timer = undefined;
    }, ABORT_CHECK_MS);
    timer.unref();
    return timer;
  }

  /** A signal read for the first time becomes aborted only later, even if the client is long gone. */
  #watchSignal(inFlight: InFlightRequest): void {
    this.#waiting.delete(inFlight);
    const signal = runtimeSignal(inFlight.request);
    if (signal.aborted) inFlight.done();
    else signal.addEventListener("abort", () => inFlight.done(), { once: true });
  }
}

/** Whether the runtime's second argument tells of the ends of requests. Node has no such argument. */
const REPORTS_ENDS = "Deno" in globalThis || "Bun" in globalThis;

/** Whether a response upgrades its request, and the WebSocket holds no slot. */
function isForeignUpgrade(response: unknown): boolean {
  return (response as Partial<Response> | null | undefined)?.status === 101 && !isLimitedUpgrade(response as Response);
}

const FOREIGN_UPGRADE =
  "a WebSocket holds no slot and is not limited; open it by upgradeWebSocket() of the entry point " +
  "./http, with the request that the handler was given";

const NO_INFO = "limitRequests() was called without the runtime's second argument; pass it on to the limited handler";

const NO_ADDRESS = `${NO_INFO}, or set the option client; until then requests are refused as "unknown-address"`;

const NO_END = `${NO_INFO}; until then a slot is released before the response has ended`;

const UNKNOWN_ADDRESS = 'the connection has no IP address, so the request is refused as "unknown-address"; ' +
  "set the option client";

function completedOf({ info }: InFlightRequest): Promise<void> | undefined {
  return (info as ServeInfo | undefined)?.completed;
}
