/**
 * The server of `Bun.serve()`.
 *
 * @module
 */

import { InFlightRequest } from "./in_flight_request.ts";
import { runtimeSignal } from "./request_signal.ts";

/** The server of `Bun.serve()`, which Bun also passes to the fetch handler. */
export interface BunServerLike {
  /** The client's address. `null` after the request has ended or was upgraded, and for a Unix socket. */
  requestIP(request: Request): { readonly address: string } | null;
  /** Upgrades a request to a WebSocket. Returns whether it has. */
  // deno-lint-ignore no-explicit-any
  upgrade(request: any, options?: any): boolean;
  /** The number of requests in flight. */
  readonly pendingRequests: number;
  /** The port that the server is bound to. Absent for a Unix socket. */
  readonly port?: number | undefined;
}

/** Whether the second argument of a fetch handler is Bun's server. */
export function isBunServer(info: unknown): info is BunServerLike {
  return typeof (info as Partial<BunServerLike> | null | undefined)?.requestIP === "function";
}

const watchedServers = new WeakSet<BunServerLike>();

/** Makes WebSockets keep their requests' slots until they are closed. Only the request's signal reports that close. */
export function watchUpgrades(server: BunServerLike): void {
  if (watchedServers.has(server)) return;
  watchedServers.add(server);
  const { upgrade } = server;
  server.upgrade = (request: Request, options?: unknown) => {
    // Listen before the upgrade: the handler `open` runs inside it and may close the socket.
    const closed = new Promise((resolve) => runtimeSignal(request).addEventListener("abort", resolve, { once: true }));
    const upgraded = upgrade.call(server, request, options);
    if (upgraded) closed.then(InFlightRequest.upgrade(request));
    return upgraded;
  };
}
