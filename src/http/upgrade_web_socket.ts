/**
 * `upgradeWebSocket()`: WebSockets of `Deno.serve` that hold their slots.
 *
 * @module
 */

import { setTimeout } from "node:timers";
import { InFlightRequest } from "./in_flight_request.ts";

/**
 * How long, in milliseconds, a WebSocket may take to open once its handler has settled. A client that resets meanwhile
 * leaves it unopened for ever, and nothing tells.
 */
const WS_OPEN_TIMEOUT_MS = 5_000;

/** The state of a WebSocket that has not opened, in the absence of Deno's types. */
const CONNECTING = 0;

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
  const release = InFlightRequest.upgrade(request);
  const opening = later(async () => {
    await InFlightRequest.settled(request);
    later(() => socket.readyState === CONNECTING && release());
  });
  socket.addEventListener("open", () => clearTimeout(opening));
  socket.addEventListener("close", release);
  return upgrade;
}

function later(callback: () => unknown): ReturnType<typeof setTimeout> {
  const timer = setTimeout(callback, WS_OPEN_TIMEOUT_MS);
  timer.unref();
  return timer;
}
