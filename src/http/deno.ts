/**
 * Following the requests of `Deno.serve`, and of whatever calls a fetch handler in its way.
 *
 * @module
 */

import { setInterval, setTimeout } from "node:timers";
import { isThenable } from "../hooks.ts";
import type { Peer, RemoteAddr } from "../peer.ts";
import type { Follower } from "./follower.ts";
import { Hold } from "./hold.ts";

/** What `Deno.serve` hands to its handler beside the request. */
export interface ServeInfo {
  /** The client's address. */
  readonly remoteAddr: RemoteAddr;
  /** Settles when the response is done, or the client is gone. Without it, a response is done when it is returned. */
  readonly completed?: Promise<void>;
}

/** After how many milliseconds it is asked whether the client of a handler that has not settled is still there. */
const PATIENCE = 5_000;

/**
 * How long, in milliseconds, a WebSocket may take to open once its handler has settled. A client that resets meanwhile
 * leaves it unopened for ever, and nothing tells.
 */
const OPENING = 5_000;

/** The state of a WebSocket that has not opened, in the absence of Deno's types. */
const CONNECTING = 0;

/** {@linkcode Follower} for Deno, where `completed` tells the end of all requests whose handlers settle. */
export class DenoFollower implements Follower<ServeInfo> {
  /** Requests whose handlers have returned promises, with whether they have been looked at before. */
  readonly #waiting = new Map<Hold, boolean>();
  #timer: ReturnType<typeof setInterval> | undefined;

  peerOf(_request: Request, info: ServeInfo): Peer | undefined {
    return info;
  }

  begin(hold: Hold, info: ServeInfo | undefined): void {
    const done = () => this.#done(hold);
    info?.completed?.then(done, done);
  }

  returned(hold: Hold, result: unknown, info: ServeInfo | undefined): void {
    const completed = info?.completed;
    if (isThenable(result)) {
      hold.result = result;
      this.#waiting.set(hold, false);
      this.#timer ??= this.#watch();
      if (completed === undefined) {
        const done = () => this.#done(hold);
        result.then(done, done);
      }
    } else if (completed === undefined) {
      this.#done(hold);
    }
  }

  #done(hold: Hold): void {
    this.#waiting.delete(hold);
    hold.done();
  }

  /**
   * `completed` never settles where a handler does not, even when its client is gone; then the request's signal is what
   * tells. It is not asked before a while has passed, since whoever asks makes Deno print a warning.
   */
  #watch(): ReturnType<typeof setInterval> {
    const timer = setInterval(() => {
      for (const [hold, seen] of this.#waiting) {
        if (seen) this.#listen(hold);
        else this.#waiting.set(hold, true);
      }
      if (this.#waiting.size > 0) return;
      clearInterval(timer);
      this.#timer = undefined;
    }, PATIENCE);
    timer.unref();
    return timer;
  }

  /** A signal that nobody has asked for before says "aborted" only later, even where the client has long been gone. */
  #listen(hold: Hold): void {
    this.#waiting.delete(hold);
    const { signal } = hold.request;
    if (signal.aborted) hold.done();
    else signal.addEventListener("abort", () => hold.done(), { once: true });
  }
}

/** What of `Deno.upgradeWebSocket` is used. */
interface Upgrade {
  readonly socket: WebSocket;
  readonly response: Response;
}

/** The options of `Deno.upgradeWebSocket`. */
export interface UpgradeWebSocketOptions {
  /** The protocol to choose of those that the client offers. */
  readonly protocol?: string;
  /**
   * Seconds without an answer after which the socket is closed; `0` for never.
   *
   * @default {30} Deno's own.
   */
  readonly idleTimeout?: number;
}

interface Runtime {
  readonly Deno?: { upgradeWebSocket(request: Request, options?: UpgradeWebSocketOptions): Upgrade };
}

/**
 * Does what `Deno.upgradeWebSocket()` does, and has the WebSocket hold the request's slot until it is closed, by whichever
 * side and however. With Deno's own function the slot is given back at the upgrade, and WebSockets escape the limits,
 * since Deno tells nothing of them but to whom it gives the socket.
 *
 * It is for handlers within `limitRequests()`; elsewhere it is the same as Deno's. On Bun nothing of the kind is needed.
 *
 * Where the client resets before the WebSocket has opened, Deno tells nothing of it, and keeps the descriptor until the
 * process ends; the slot is given back five to ten seconds after the handler has settled. `ws` on `node:http` with
 * `limitServer()` has no such fault.
 *
 * @example A WebSocket that echoes
 * ```ts ignore
 * import { limitRequests, upgradeWebSocket } from "@connlimit/connlimit/http";
 *
 * Deno.serve(limitRequests({ maxPerClient: 10 }, (request) => {
 *   const { socket, response } = upgradeWebSocket(request);
 *   socket.onmessage = ({ data }) => socket.send(data);
 *   return response;
 * }));
 * ```
 *
 * @throws What `Deno.upgradeWebSocket()` throws, such as for a request that asks for no upgrade.
 * @throws {Error} Without Deno.
 */
export function upgradeWebSocket(
  request: Request,
  options?: UpgradeWebSocketOptions,
): { socket: WebSocket; response: Response } {
  const { Deno } = globalThis as Runtime;
  if (Deno === undefined) throw new Error("upgradeWebSocket() needs Deno; on Bun there is server.upgrade()");
  const upgrade = Deno.upgradeWebSocket(request, options);
  const { socket } = upgrade;
  const release = Hold.upgrade(request);
  const opening = later(async () => {
    await Hold.settled(request);
    later(() => socket.readyState === CONNECTING && release());
  });
  socket.addEventListener("open", () => clearTimeout(opening));
  socket.addEventListener("close", release);
  return upgrade;
}

function later(callback: () => unknown): ReturnType<typeof setTimeout> {
  const timer = setTimeout(callback, OPENING);
  timer.unref();
  return timer;
}
