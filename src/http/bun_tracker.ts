/**
 * Following the requests of `Bun.serve`.
 *
 * Bun tells of no request's end. But it knows no address of a request that has ended, so it can be asked.
 *
 * @module
 */

import { setImmediate, setInterval } from "node:timers";
import { isThenable } from "../admission/hooks.ts";
import { type Peer, UNIX_PEER } from "../core/peer.ts";
import { InFlightRequest } from "./in_flight_request.ts";
import type { RequestTracker } from "./request_tracker.ts";
import type { Sweep } from "./sweep.ts";

/** The server that Bun hands to a fetch handler beside the request; what `Bun.serve()` returns is one. */
export interface BunServerLike {
  /** The client's address; `null` when the request has ended, has been upgraded, or has come by a Unix socket. */
  requestIP(request: Request): { readonly address: string } | null;
  /** Makes a WebSocket of a request. */
  // deno-lint-ignore no-explicit-any
  upgrade(request: any, options?: any): boolean;
  /** Requests in flight. */
  readonly pendingRequests: number;
  /** The port; absent where it listens on a Unix socket. */
  readonly port?: number | undefined;
}

/** Whether what a fetch handler has been called with is Bun's server. */
export function isBunServer(info: unknown): info is BunServerLike {
  return typeof (info as Partial<BunServerLike> | null | undefined)?.requestIP === "function";
}

/** How often, in milliseconds, it is asked for requests that take longer than a turn of the event loop. */
const SWEEP_MS = 1_000;

/** For how many periods a request is held whose client has left and whose handler does not settle. */
const GONE_PERIODS = 5;

/** How often, in milliseconds, refusals at the limits of all together may have everyone's requests asked for. */
const SWEEP_ALL_MS = 100;

/** {@linkcode RequestTracker} for Bun, one for each server. */
export class BunTracker implements RequestTracker<BunServerLike> {
  readonly #server: BunServerLike;
  /** The peers of Unix sockets have no addresses to ask for. */
  readonly #unix: boolean;
  /** Requests that may well have ended by the next turn of the event loop. */
  #fresh: InFlightRequest[] = [];
  /** Requests that had not, by their clients. */
  readonly #slow = new Map<string, Set<InFlightRequest>>();
  /** Clients whose requests have been asked for in this turn: once is enough, however many are refused. */
  readonly #asked = new Set<string>();
  #everyoneAskedAt = -Infinity;
  #yieldDue = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  readonly sweep: Sweep = (reason, client) => {
    if (reason === "blocked" || reason === "unknown-address") return false;
    this.#askFresh();
    // A client's own limit is about its own requests alone, which are few.
    if (reason === "client") this.#askOf(client());
    else if (performance.now() - this.#everyoneAskedAt >= SWEEP_ALL_MS) this.#askSlow();
    return true;
  };

  constructor(server: BunServerLike) {
    this.#server = server;
    this.#unix = server.port === undefined;
    watchUpgrades(server);
  }

  peerOf(request: Request): Peer | undefined {
    return this.#unix ? UNIX_PEER : this.#server.requestIP(request)?.address;
  }

  watchPending({ signal }: Request, left: () => void): () => void {
    if (signal.aborted) left();
    else signal.addEventListener("abort", left, { once: true });
    return () => signal.removeEventListener("abort", left);
  }

  start(inFlight: InFlightRequest, found: boolean): void {
    // A request made from Bun's, as by `new Request(request)`, has no address either.
    inFlight.untracked = this.#unix || !found && this.#server.requestIP(inFlight.request) === null;
  }

  handlerReturned(inFlight: InFlightRequest, result: unknown): void {
    if (isThenable(result)) {
      inFlight.result = result;
      const settled = () => {
        inFlight.result = undefined;
        if (inFlight.slow) this.#recheck(inFlight);
      };
      result.then(settled, settled);
    }
    this.#recheck(inFlight);
  }

  /** Asks for a request in the next turn of the event loop, when a response that is at hand has been handed over. */
  #recheck(inFlight: InFlightRequest): void {
    this.#fresh.push(inFlight);
    this.#scheduleTurn();
  }

  #scheduleTurn(): void {
    if (this.#yieldDue) return;
    this.#yieldDue = true;
    setImmediate(() => {
      this.#yieldDue = false;
      this.#asked.clear();
      if (this.#server.pendingRequests === 0 && this.#slow.size > 0) this.#askSlow();
      this.#askFresh();
    });
  }

  #askFresh(): void {
    const fresh = this.#fresh;
    if (fresh.length === 0) return;
    this.#fresh = [];
    // Cheaper than to ask for each.
    const none = this.#server.pendingRequests === 0;
    for (const inFlight of fresh) {
      if (none ? inFlight.result === undefined : this.#hasEnded(inFlight)) this.#done(inFlight);
      else if (!inFlight.slow) this.#isSlow(inFlight);
    }
  }

  #askOf(client: string): void {
    if (this.#asked.has(client)) return;
    this.#asked.add(client);
    this.#scheduleTurn();
    this.#ask(this.#slow.get(client) ?? []);
  }

  #askSlow(): void {
    for (const holds of this.#slow.values()) this.#ask(holds);
    this.#everyoneAskedAt = performance.now();
  }

  #ask(holds: Iterable<InFlightRequest>): void {
    for (const inFlight of holds) if (this.#hasEnded(inFlight)) this.#done(inFlight);
  }

  /**
   * A request whose client has left is held as long as its handler works: whoever asks and leaves at once must not have
   * more handlers at work than the limits allow.
   */
  #hasEnded(inFlight: InFlightRequest): boolean {
    return inFlight.result === undefined && (inFlight.untracked || this.#isGone(inFlight));
  }

  /** Whether the response is done or the client has left. */
  #isGone(inFlight: InFlightRequest): boolean {
    return this.#server.requestIP(inFlight.request) === null;
  }

  #done(inFlight: InFlightRequest): void {
    inFlight.done();
    if (!inFlight.slow) return;
    const holds = this.#slow.get(inFlight.client);
    if (holds?.delete(inFlight) && holds.size === 0) this.#slow.delete(inFlight.client);
  }

  #isSlow(inFlight: InFlightRequest): void {
    inFlight.slow = true;
    const holds = this.#slow.get(inFlight.client);
    if (holds === undefined) this.#slow.set(inFlight.client, new Set([inFlight]));
    else holds.add(inFlight);
    this.#timer ??= this.#watchSlow();
  }

  #watchSlow(): ReturnType<typeof setInterval> {
    const timer = setInterval(() => {
      this.#askSlow();
      for (const holds of this.#slow.values()) {
        for (const inFlight of holds) if (this.#hasGivenUp(inFlight)) this.#done(inFlight);
      }
      if (this.#slow.size > 0) return;
      clearInterval(timer);
      this.#timer = undefined;
    }, SWEEP_MS);
    timer.unref();
    return timer;
  }

  /** Whether a handler has not settled for long enough since its client has left: it may never do. */
  #hasGivenUp(inFlight: InFlightRequest): boolean {
    return inFlight.result !== undefined && !inFlight.untracked && this.#isGone(inFlight) &&
      ++inFlight.periodsGone > GONE_PERIODS;
  }
}

const watched = new WeakSet<BunServerLike>();

/** Has WebSockets keep the slots of their requests until they are closed, which only the requests' signals tell. */
function watchUpgrades(server: BunServerLike): void {
  if (watched.has(server)) return;
  watched.add(server);
  const { upgrade } = server;
  server.upgrade = (request: Request, options?: unknown) => {
    // Before the upgrade, in which the socket may be closed already.
    const closed = new Promise((resolve) => request.signal.addEventListener("abort", resolve, { once: true }));
    const upgraded = upgrade.call(server, request, options);
    if (upgraded) closed.then(InFlightRequest.upgrade(request));
    return upgraded;
  };
}
