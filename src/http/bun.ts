/**
 * Following the requests of `Bun.serve`.
 *
 * Bun tells of no request's end. But it knows no address of a request that has ended, so it can be asked.
 *
 * @module
 */

import { setImmediate, setInterval } from "node:timers";
import { isThenable } from "../hooks.ts";
import { type Peer, UNIX_PEER } from "../peer.ts";
import type { RefusalReason } from "../slot.ts";
import type { Follower } from "./follower.ts";
import { Hold } from "./hold.ts";

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
const PERIOD = 1_000;

/** For how many periods a request is held whose client has left and whose handler does not settle. */
const PATIENCE = 5;

/** How often, in milliseconds, refusals at the limits of all together may have everyone's requests asked for. */
const EVERYONE_PERIOD = 100;

/** {@linkcode Follower} for Bun, one for each server. */
export class BunFollower implements Follower<BunServerLike> {
  readonly #server: BunServerLike;
  /** The peers of Unix sockets have no addresses to ask for. */
  readonly #unix: boolean;
  /** Requests that may well have ended by the next turn of the event loop. */
  #fresh: Hold[] = [];
  /** Requests that had not, by their clients. */
  readonly #slow = new Map<string, Set<Hold>>();
  /** Clients whose requests have been asked for in this turn: once is enough, however many are refused. */
  readonly #asked = new Set<string>();
  #everyoneAskedAt = -Infinity;
  #turnDue = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  readonly reclaim = (reason: RefusalReason, client: () => string): boolean => {
    if (reason === "blocked" || reason === "unknown-address") return false;
    this.#askFresh();
    // A client's own limit is about its own requests alone, which are few.
    if (reason === "client") this.#askOf(client());
    else if (performance.now() - this.#everyoneAskedAt >= EVERYONE_PERIOD) this.#askSlow();
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

  begin(hold: Hold, _server: BunServerLike, found: boolean): void {
    // A request made from Bun's, as by `new Request(request)`, has no address either.
    hold.endUnknown = this.#unix || !found && this.#server.requestIP(hold.request) === null;
  }

  returned(hold: Hold, result: unknown): void {
    if (isThenable(result)) {
      hold.result = result;
      const settled = () => {
        hold.result = undefined;
        if (hold.slow) this.#recheck(hold);
      };
      result.then(settled, settled);
    }
    this.#recheck(hold);
  }

  /** Asks for a request in the next turn of the event loop, when a response that is at hand has been handed over. */
  #recheck(hold: Hold): void {
    this.#fresh.push(hold);
    this.#scheduleTurn();
  }

  #scheduleTurn(): void {
    if (this.#turnDue) return;
    this.#turnDue = true;
    setImmediate(() => {
      this.#turnDue = false;
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
    for (const hold of fresh) {
      if (none ? hold.result === undefined : this.#hasEnded(hold)) this.#done(hold);
      else if (!hold.slow) this.#isSlow(hold);
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

  #ask(holds: Iterable<Hold>): void {
    for (const hold of holds) if (this.#hasEnded(hold)) this.#done(hold);
  }

  /**
   * A request whose client has left is held as long as its handler works: whoever asks and leaves at once must not have
   * more handlers at work than the limits allow.
   */
  #hasEnded(hold: Hold): boolean {
    return hold.result === undefined && (hold.endUnknown || this.#isGone(hold));
  }

  /** Whether the response is done or the client has left. */
  #isGone(hold: Hold): boolean {
    return this.#server.requestIP(hold.request) === null;
  }

  #done(hold: Hold): void {
    hold.done();
    if (!hold.slow) return;
    const holds = this.#slow.get(hold.client);
    if (holds?.delete(hold) && holds.size === 0) this.#slow.delete(hold.client);
  }

  #isSlow(hold: Hold): void {
    hold.slow = true;
    const holds = this.#slow.get(hold.client);
    if (holds === undefined) this.#slow.set(hold.client, new Set([hold]));
    else holds.add(hold);
    this.#timer ??= this.#watchSlow();
  }

  #watchSlow(): ReturnType<typeof setInterval> {
    const timer = setInterval(() => {
      this.#askSlow();
      for (const holds of this.#slow.values()) {
        for (const hold of holds) if (this.#hasGivenUp(hold)) this.#done(hold);
      }
      if (this.#slow.size > 0) return;
      clearInterval(timer);
      this.#timer = undefined;
    }, PERIOD);
    timer.unref();
    return timer;
  }

  /** Whether a handler has not settled for long enough since its client has left: it may never do. */
  #hasGivenUp(hold: Hold): boolean {
    return hold.result !== undefined && !hold.endUnknown && this.#isGone(hold) && ++hold.periodsGone > PATIENCE;
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
    if (upgraded) closed.then(Hold.upgrade(request));
    return upgraded;
  };
}
