/**
 * `upgradeWebSocket()`: WebSockets of `Deno.serve` that hold their slots until they close.
 *
 * @module
 */

import { setTimeout } from "node:timers";
import { HANDLER_TIMEOUT_MS } from "./handler_timeout.ts";
import { InFlightRequest } from "./in_flight_request.ts";

/**
 * The time that a WebSocket has to open after its handler has settled. If the client resets in between, the WebSocket never
 * opens, and Deno emits no event.
 */
const WS_OPEN_TIMEOUT_MS = 5_000;

/** The status of a WebSocket that the server ends. (RFC 6455, section 7.4.1) */
const GOING_AWAY = 1001;

/** `WebSocket.CONNECTING`. */
const CONNECTING = 0;

/** The result of `Deno.upgradeWebSocket()`. */
interface Upgrade {
  readonly socket: WebSocket;
  readonly response: Response;
}

/** The options of `Deno.upgradeWebSocket`. */
export interface UpgradeWebSocketOptions {
  /** The subprotocol to choose from those that the client offers. */
  readonly protocol?: string;
  /**
   * Seconds without an answer after which the socket is closed. `0` is never.
   *
   * @default {30} Deno's own.
   */
  readonly idleTimeout?: number;
}

interface Runtime {
  readonly Deno?: { upgradeWebSocket(request: Request, options?: UpgradeWebSocketOptions): Upgrade };
}

/**
 * Does what `Deno.upgradeWebSocket()` does. The WebSocket holds the slot of its request until it closes.
 *
 * Call it in a handler of `limitRequests()`, as the last step. Elsewhere it is the same as Deno's function. Bun does
 * not need it. For clients that reset before the WebSocket opens, or do not answer its
 * `close()`, see docs/runtimes.md in the repository.
 *
 * @example A WebSocket that echoes
 * ```ts ignore
 * import { limitRequests, upgradeWebSocket } from "@connlimit/connlimit/http";
 *
 * Deno.serve(limitRequests({ maxPerClient: 10 }, (request) => {
 *   const { socket, response } = upgradeWebSocket(request);
 *   socket.onmessage = ({ data }) => {
 *     if (socket.bufferedAmount < 1_000_000) socket.send(data); // a client that does not read gets no more
 *   };
 *   return response;
 * }));
 * ```
 *
 * @param request The request to upgrade.
 * @param options The options of `Deno.upgradeWebSocket()`.
 * @returns The WebSocket, and the response that the handler must return.
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
  // A copy of the request has no slot, and Deno upgrades it as well.
  if (InFlightRequest.isRecorded(request)) {
    limitedUpgrades.add(upgrade.response);
    holdSlot(request, upgrade.socket);
  }
  return upgrade;
}

/**
 * Has a WebSocket hold the slot of its request until it closes, or is lost before it opens.
 *
 * @param later Starts a timer. Returns what stops it.
 */
export function holdSlot(request: Request, socket: WebSocket, later: typeof startTimer = startTimer): void {
  const release = InFlightRequest.upgrade(request, () => socket.close(GOING_AWAY));
  const lost = () => {
    if (socket.readyState !== CONNECTING) return;
    release();
    // It would be open without a slot.
    socket.addEventListener("open", () => socket.close(GOING_AWAY));
  };
  let stop = later(WS_OPEN_TIMEOUT_MS, () => {
    stop = later(HANDLER_TIMEOUT_MS, lost);
    InFlightRequest.settled(request).then(() => {
      stop();
      if (socket.readyState === CONNECTING) stop = later(WS_OPEN_TIMEOUT_MS, lost);
    });
  });
  socket.addEventListener("open", () => stop());
  socket.addEventListener("close", () => {
    stop();
    release();
  });
}

/** The responses of {@linkcode upgradeWebSocket}. */
const limitedUpgrades = new WeakSet<Response>();

/** Whether a response opens a WebSocket that holds the slot of its request. */
export function isLimitedUpgrade(response: Response): boolean {
  return limitedUpgrades.has(response);
}

function startTimer(milliseconds: number, run: () => void): () => void {
  const timer = setTimeout(run, milliseconds);
  timer.unref();
  return () => clearTimeout(timer);
}
