/**
 * Following the requests of `Deno.serve`, and of whatever calls a fetch handler in its way.
 *
 * @module
 */

import { setInterval } from "node:timers";
import { isThenable } from "../admission/hooks.ts";
import type { Peer, RemoteAddr } from "../core/peer.ts";
import type { InFlightRequest } from "./in_flight_request.ts";
import type { RequestTracker } from "./request_tracker.ts";

/** What `Deno.serve` hands to its handler beside the request. */
export interface ServeInfo {
  /** The client's address. */
  readonly remoteAddr: RemoteAddr;
  /** Settles when the response is done, or the client is gone. Without it, a response is done when it is returned. */
  readonly completed?: Promise<void>;
}

/** After how many milliseconds it is asked whether the client of a handler that has not settled is still there. */
const ABORT_CHECK_MS = 5_000;

/** {@linkcode RequestTracker} for Deno, where `completed` tells the end of all requests whose handlers settle. */
export class DenoTracker implements RequestTracker<ServeInfo> {
  /** Requests whose handlers have returned promises, with whether they have been looked at before. */
  readonly #waiting = new Map<InFlightRequest, boolean>();
  #timer: ReturnType<typeof setInterval> | undefined;

  peerOf(_request: Request, info: ServeInfo): Peer | undefined {
    return info;
  }

  start(inFlight: InFlightRequest): void {
    const done = () => this.#done(inFlight);
    completedOf(inFlight)?.then(done, done);
  }

  handlerReturned(inFlight: InFlightRequest, result: unknown): void {
    const completed = completedOf(inFlight);
    if (isThenable(result)) {
      inFlight.result = result;
      this.#waiting.set(inFlight, false);
      this.#timer ??= this.#watch();
      if (completed === undefined) {
        const done = () => this.#done(inFlight);
        result.then(done, done);
      }
    } else if (completed === undefined) {
      this.#done(inFlight);
    }
  }

  #done(inFlight: InFlightRequest): void {
    this.#waiting.delete(inFlight);
    inFlight.done();
  }

  /**
   * `completed` never settles where a handler does not, even when its client is gone; then the request's signal is what
   * tells. It is not asked before a while has passed, since whoever asks makes Deno print a warning.
   */
  #watch(): ReturnType<typeof setInterval> {
    const timer = setInterval(() => {
      for (const [inFlight, seen] of this.#waiting) {
        if (seen) this.#listen(inFlight);
        else this.#waiting.set(inFlight, true);
      }
      if (this.#waiting.size > 0) return;
      clearInterval(timer);
      this.#timer = undefined;
    }, ABORT_CHECK_MS);
    timer.unref();
    return timer;
  }

  /** A signal that nobody has asked for before says "aborted" only later, even where the client has long been gone. */
  #listen(inFlight: InFlightRequest): void {
    this.#waiting.delete(inFlight);
    const { signal } = inFlight.request;
    if (signal.aborted) inFlight.done();
    else signal.addEventListener("abort", () => inFlight.done(), { once: true });
  }
}

function completedOf({ info }: InFlightRequest): Promise<void> | undefined {
  return (info as ServeInfo | undefined)?.completed;
}
