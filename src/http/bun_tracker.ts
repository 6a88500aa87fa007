/**
 * Tracks the requests of `Bun.serve`.
 *
 * Bun has no end-of-request event. `server.requestIP()` returns `null` once a request has ended, so the tracker polls
 * it. A call takes about 0.4 µs.
 *
 * @module
 */

import type { Check } from "../admission/checks.ts";
import { CLOCK, type Clock } from "../admission/clock.ts";
import type { Admitter } from "../admission/port.ts";
import { internalsOf } from "../core/internals.ts";
import { type Peer, UNIX_PEER } from "../core/peer.ts";
import type { Sweep } from "../core/counts.ts";
import { type BunServerLike, watchUpgrades } from "./bun_server.ts";
import type { InFlightRequest } from "./in_flight_request.ts";
import { whenSettled } from "./promise_of.ts";
import { runtimeSignal } from "./request_signal.ts";
import type { RequestTracker } from "./request_tracker.ts";

/**
 * The period of the sweep over slow requests. A sweep over 10,000 of them takes about 4 ms. `stats()` may lag by one
 * period.
 */
const SWEEP_MS = 1_000;

/**
 * The number of periods for which a request keeps its slot after its client has left and before its handler settles.
 * Most handlers settle in that time, so clients that leave early gain few handlers beyond the limits. A handler that
 * never settles must not keep its slot forever.
 */
const GONE_PERIODS = 5;

/**
 * The shortest interval between sweeps over all clients before refusals at `aggregates` and `maxTotal`. In a flood of
 * refusals, with 10,000 slow requests, these sweeps take about 4 % of the time.
 */
const SWEEP_ALL_MS = 100;

/** The {@linkcode RequestTracker} of one limiter on one server of Bun, whatever handlers it has. */
export class BunTracker implements RequestTracker<BunServerLike> {
  readonly #server: BunServerLike;
  /** Whether the server is on a Unix socket, where `requestIP()` is always `null`. */
  readonly #unix: boolean;
  /** Requests to check in the next turn of the event loop. Most have ended by then. */
  #fresh: InFlightRequest[] = [];
  /** Requests that have outlasted that turn, by client. */
  readonly #slow = new Map<string, Set<InFlightRequest>>();
  /** Clients whose slow requests were swept in this turn. One sweep a turn is enough for any number of refusals. */
  readonly #sweptClients = new Set<string>();
  #allSweptAt = -Infinity;
  #sweepDue = false;
  readonly #clock: Clock;
  /** Ends the timer, which runs while there are slow requests. */
  #stop: (() => void) | undefined;

  readonly #sweeps: Set<Sweep> | undefined;

  readonly #sweep: Sweep = (reason, client) => {
    if (reason === "blocked" || reason === "unknown-address") return;
    this.#sweepFresh();
    // At `maxPerClient` only the client's own requests matter, and they are few.
    if (reason === "client") this.#sweepClient(client());
    else if (performance.now() - this.#allSweptAt >= SWEEP_ALL_MS) this.#sweepSlow();
  };

  /** @param sweeps The sweeps of the limiter, which have this tracker's while it has requests. */
  constructor(server: BunServerLike, sweeps: Set<Sweep> | undefined, clock: Clock = CLOCK) {
    this.#server = server;
    this.#clock = clock;
    this.#sweeps = sweeps;
    this.#unix = server.port === undefined;
    watchUpgrades(server);
  }

  /** Returns the tracker of a limiter on a server, which is the same for all handlers. */
  static of(limiter: Admitter, server: BunServerLike): BunTracker {
    const counts = internalsOf(limiter)?.counts;
    let trackers = trackersOf.get(counts ?? limiter);
    if (trackers === undefined) trackersOf.set(counts ?? limiter, trackers = new WeakMap());
    let tracker = trackers.get(server);
    if (tracker === undefined) trackers.set(server, tracker = new BunTracker(server, counts?.sweeps));
    return tracker;
  }

  peerOf(request: Request): Peer | undefined {
    return this.#unix ? UNIX_PEER : this.#server.requestIP(request)?.address;
  }

  whyUnknown(request: Request): Check | undefined {
    return this.peerOf(request) !== undefined || request.signal.aborted ? undefined : "request-copied";
  }

  watchPending({ signal }: Request, left: () => void): () => void {
    if (signal.aborted) left();
    else signal.addEventListener("abort", left, { once: true });
    return () => signal.removeEventListener("abort", left);
  }

  start(inFlight: InFlightRequest, peerFound: boolean): void {
    // `new Request(request)` makes a request that Bun does not know; its `requestIP()` is always `null`, too.
    inFlight.untracked = this.#unix || !peerFound && this.#server.requestIP(inFlight.request) === null;
  }

  handlerReturned(inFlight: InFlightRequest, result: unknown, unlimited: (check: Check) => void): void {
    if (result instanceof Promise) {
      inFlight.result = result;
      whenSettled(result, (response) => {
        inFlight.result = undefined;
        if (inFlight.slow) this.#recheck(inFlight);
        if (response === undefined && this.#isForeignUpgrade(inFlight)) unlimited("upgrade-unlimited");
      });
    } else if (result === undefined && this.#isForeignUpgrade(inFlight)) {
      unlimited("upgrade-unlimited");
    }
    this.#recheck(inFlight);
  }

  /** Checks a request in the next turn of the event loop, when Bun has sent a response that is ready now. */
  #recheck(inFlight: InFlightRequest): void {
    this.#fresh.push(inFlight);
    this.#scheduleSweep();
  }

  #scheduleSweep(): void {
    if (this.#sweepDue) return;
    this.#sweepDue = true;
    this.#sweeps?.add(this.#sweep);
    this.#clock.soon(() => {
      this.#sweepDue = false;
      this.#sweptClients.clear();
      if (this.#server.pendingRequests === 0 && this.#slow.size > 0) this.#sweepSlow();
      this.#sweepFresh();
      this.#rest();
    });
  }

  /** Has nothing to do with refusals while it has no request. Otherwise a limiter would keep every server that it ever had. */
  #rest(): void {
    if (this.#slow.size === 0 && this.#fresh.length === 0) this.#sweeps?.delete(this.#sweep);
  }

  #sweepFresh(): void {
    const fresh = this.#fresh;
    if (fresh.length === 0) return;
    this.#fresh = [];
    // One look at the server saves a call for each request.
    const none = this.#server.pendingRequests === 0;
    for (const inFlight of fresh) {
      if (none ? inFlight.result === undefined : this.#hasEnded(inFlight)) this.#done(inFlight);
      else if (!inFlight.slow) this.#addSlow(inFlight);
    }
  }

  #sweepClient(client: string): void {
    if (this.#sweptClients.has(client)) return;
    this.#sweptClients.add(client);
    this.#scheduleSweep();
    this.#sweepAll(this.#slow.get(client) ?? []);
  }

  #sweepSlow(): void {
    for (const requests of this.#slow.values()) this.#sweepAll(requests);
    this.#allSweptAt = performance.now();
  }

  #sweepAll(requests: Iterable<InFlightRequest>): void {
    for (const inFlight of requests) if (this.#hasEnded(inFlight)) this.#done(inFlight);
  }

  /**
   * Whether the slot can be released. A request whose client has left keeps its slot while its handler runs. Otherwise
   * a client that sends requests and leaves at once could run more handlers than the limits allow.
   */
  #hasEnded(inFlight: InFlightRequest): boolean {
    return inFlight.result === undefined && (inFlight.untracked || this.#isGone(inFlight));
  }

  /** Whether the response has ended or the client has left. */
  #isGone(inFlight: InFlightRequest): boolean {
    return this.#server.requestIP(inFlight.request) === null;
  }

  /** Whether a request without a response has become a WebSocket, by a method `upgrade` that was read before it was replaced. */
  #isForeignUpgrade(inFlight: InFlightRequest): boolean {
    return !inFlight.upgraded && !inFlight.untracked && this.#isGone(inFlight) &&
      !runtimeSignal(inFlight.request).aborted;
  }

  #done(inFlight: InFlightRequest): void {
    inFlight.done();
    if (!inFlight.slow) return;
    const requests = this.#slow.get(inFlight.client);
    if (requests?.delete(inFlight) && requests.size === 0) this.#slow.delete(inFlight.client);
    if (this.#slow.size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
    this.#rest();
  }

  #addSlow(inFlight: InFlightRequest): void {
    inFlight.slow = true;
    const requests = this.#slow.get(inFlight.client);
    if (requests === undefined) this.#slow.set(inFlight.client, new Set([inFlight]));
    else requests.add(inFlight);
    this.#stop ??= this.#clock.every(SWEEP_MS, () => this.#tick());
  }

  /** Once a period. */
  #tick(): void {
    this.#sweepSlow();
    for (const requests of this.#slow.values()) {
      for (const inFlight of requests) if (this.#isAbandoned(inFlight)) this.#done(inFlight);
    }
  }

  /** Whether a handler has not settled for {@linkcode GONE_PERIODS} since its client left. Call it once a period. */
  #isAbandoned(inFlight: InFlightRequest): boolean {
    if (inFlight.result === undefined) return false;
    // Of a request that the server does not know, the signal tells, also if it is read only now.
    const gone = inFlight.untracked ? runtimeSignal(inFlight.request).aborted : this.#isGone(inFlight);
    return gone && ++inFlight.periodsGone > GONE_PERIODS;
  }
}

/** The trackers by limiter and server. */
const trackersOf = new WeakMap<object, WeakMap<BunServerLike, BunTracker>>();
