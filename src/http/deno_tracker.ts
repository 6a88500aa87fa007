/**
 * Tracks the requests of `Deno.serve`, and of other callers that pass the same arguments to a fetch handler.
 *
 * @module
 */

import type { Check } from "../admission/checks.ts";
import { CLOCK, type Clock } from "../admission/clock.ts";
import { identify, type Peer, type RemoteAddr } from "../core/peer.ts";
import { HANDLER_TIMEOUT_MS } from "./handler_timeout.ts";
import type { InFlightRequest } from "./in_flight_request.ts";
import { whenSettled } from "./promise_of.ts";
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
const TICK_MS = 5_000;

const LAST_TICK = HANDLER_TIMEOUT_MS / TICK_MS;

/** The {@linkcode RequestTracker} for Deno. `completed` reports the end of every request whose handler settles. */
export class DenoTracker implements RequestTracker<ServeInfo> {
  /** Requests whose handlers have not settled, and the ticks since. */
  readonly #waiting = new Map<InFlightRequest, number>();
  readonly #clock: Clock;
  #looksSoon = false;
  #stop: (() => void) | undefined;

  constructor(clock: Clock = CLOCK) {
    this.#clock = clock;
  }

  peerOf(_request: Request, info: ServeInfo): Peer | undefined {
    return info;
  }

  whyUnknown(_request: Request, info: ServeInfo): Check | undefined {
    if ((info as Partial<ServeInfo> | null | undefined)?.remoteAddr === undefined) return "address-missing";
    return identify(info) === undefined ? "address-unknown" : undefined;
  }

  start(inFlight: InFlightRequest): void {
    const done = () => this.#done(inFlight);
    this.completedOf(inFlight)?.then(done, done);
  }

  handlerReturned(inFlight: InFlightRequest, result: unknown, unlimited: (check: Check) => void): void {
    const completed = this.completedOf(inFlight);
    if (completed === undefined && REPORTS_ENDS) unlimited("end-unseen");
    if (!(result instanceof Promise)) {
      if (isForeignUpgrade(result)) unlimited("websocket-unlimited");
      if (completed === undefined) this.#done(inFlight);
      return;
    }
    inFlight.result = result;
    this.#waiting.set(inFlight, 0);
    this.#lookSoon();
    whenSettled(result, (response) => {
      if (isForeignUpgrade(response)) unlimited("websocket-unlimited");
      if (completed === undefined) this.#done(inFlight);
      else this.#settled(inFlight);
    });
  }

  /** Settles at the end of a request that its handler has answered. */
  protected completedOf({ info }: InFlightRequest): Promise<unknown> | undefined {
    return (info as ServeInfo | undefined)?.completed;
  }

  #done(inFlight: InFlightRequest): void {
    this.#settled(inFlight);
    inFlight.done();
  }

  /** The timer runs only while a handler has not settled. */
  #settled(inFlight: InFlightRequest): void {
    if (!this.#waiting.delete(inFlight) || this.#waiting.size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
  }

  /** Starts the timer in the next turn of the event loop, when most handlers have settled: it costs more than a look. */
  #lookSoon(): void {
    if (this.#looksSoon || this.#stop !== undefined) return;
    this.#looksSoon = true;
    this.#clock.soon(() => {
      this.#looksSoon = false;
      if (this.#waiting.size > 0) this.#stop ??= this.#clock.every(TICK_MS, () => this.#tick());
    });
  }

  /**
   * `completed` does not settle before the handler does, even if the client has left. If a handler never settles, at best
   * the request's signal reports that.
   */
  #tick(): void {
    for (const [inFlight, ticks] of this.#waiting) {
      this.#waiting.set(inFlight, ticks + 1);
      if (ticks === 1) this.#watchSignal(inFlight);
      else if (ticks + 1 >= LAST_TICK) this.#done(inFlight);
    }
  }

  /** A signal read for the first time becomes aborted only later, even if the client is long gone. */
  #watchSignal(inFlight: InFlightRequest): void {
    const { request } = inFlight;
    try {
      const signal = runtimeSignal(request);
      if (signal.aborted) return this.#done(inFlight);
      signal.addEventListener("abort", () => this.#done(inFlight), { once: true });
      if (reportsLeaving(request)) this.#settled(inFlight);
    } catch {
      // A request of somebody else's making may fail at anything. Its last tick comes.
    }
  }
}

/**
 * Whether a signal that is read late reports for sure that the client has left: over HTTP/1, for requests without a body.
 * Over HTTP/2 it does so only if the client was there at the first look.
 */
function reportsLeaving({ headers }: Request): boolean {
  // HTTP/2 forbids the header `connection`. (RFC 9113, section 8.2.2)
  return headers.has("connection") && !headers.has("transfer-encoding") &&
    (headers.get("content-length") ?? "0") === "0";
}

/** Whether the runtime's second argument tells of the ends of requests. Node has no such argument. */
const REPORTS_ENDS = "Deno" in globalThis || "Bun" in globalThis;

/** Whether a response upgrades its request, and the WebSocket holds no slot. */
function isForeignUpgrade(response: unknown): boolean {
  return (response as Partial<Response> | null | undefined)?.status === 101 && !isLimitedUpgrade(response as Response);
}
