/**
 * `limitServer()`: limits the servers that stand on `node:net`, in place.
 *
 * @module
 */

import { findClients } from "../admission/client_finder.ts";
import { checkDeadlines, DEADLINES } from "../admission/deadline_options.ts";
import { checkEvictions, EVICTIONS, noBacklog } from "../admission/eviction_options.ts";
import { slotFrom } from "../admission/limit_once.ts";
import { checkAnswerHooks } from "../admission/refusal_answer.ts";
import { stageFor } from "../admission/stage_for.ts";
import type { DisposableLike } from "../core/disposable_like.ts";
import type { Admitter, GivenLimits, LimiterOf } from "../core/admitter.ts";
import type { Limiter } from "../core/limiter.ts";
import type { LimitsOptions } from "../core/limits.ts";
import type { Slot } from "../core/slot.ts";
import { toLimiter } from "../core/to_limiter.ts";
import { checkServer } from "./check_server.ts";
import { serverAccess } from "./server_access.ts";
import { ServerGate } from "./server_gate.ts";
import type { ServerLike, ServerSocket } from "./server_like.ts";
import { type LimitServerOptions, ServerPort } from "./server_port.ts";

/**
 * The limits of a server. Returned by {@linkcode limitServer}.
 *
 * @typeParam L The limiter.
 */
export interface LimitedServer<L extends Admitter = Limiter> extends DisposableLike {
  /** Admits, counts and refuses the server's connections. */
  readonly limiter: L;
  /**
   * The slot that a connection holds of this limiter. `undefined` if it holds none: it was open before, has closed, or is
   * no connection of this server. A TLS socket, such as that of an `https` request, has the slot of the socket below it.
   *
   * Release the slot where only you know that the connection is none of this process any more.
   *
   * @param socket The socket.
   */
  slotOf(socket: object): Slot | undefined;
  /** Removes the limits, as `using` does. Open connections stay counted until they close. A second call does nothing. */
  detach(): void;
}

/** Why connections cannot wait. */
const NO_WAIT = noBacklog(
  "the runtime",
  "on Deno, limit a Deno.listen() by limitedListener(); for HTTP, let requests wait with limitServerRequests()",
);

/**
 * Limits a server of `node:net`, `node:tls`, `node:http`, `node:https` or `node:http2`, and what is built on one:
 * Express, Fastify, `ws`. It works in place, before or after `listen()`, on Node, Deno and Bun.
 *
 * No listener and no handler sees a refused connection. An admitted one holds its slot until its
 * socket closes. With HTTP/2 that is one slot for all streams; a WebSocket keeps the slot of its connection.
 * Connections that were open before are not counted.
 *
 * A server may have several limiters, all of which must admit. On Bun, `http` and `https` connections are counted late;
 * for this and other caveats see docs/runtimes.md in the repository.
 *
 * @example A web server
 * ```ts ignore
 * import { createServer } from "node:http";
 * import { limitServer, tooManyConnections } from "@connlimit/connlimit/node";
 *
 * const server = createServer((_request, response) => response.end("hello\n"));
 * limitServer(server, { maxPerClient: 20 }, { answer: tooManyConnections() });
 * server.listen(8000);
 * ```
 *
 * @param server The server, which stays the same object.
 * @param limits A limiter, which several servers may share, or limits for a new one.
 * @param options An answer for refused clients, and hooks.
 * @returns The limiter, and a way to remove the limits. It need not be kept.
 * @throws {TypeError} If `server` is not a server or only has one inside, for an unknown option, a value of the wrong
 * type, or a limiter that the server has already.
 * @throws {RangeError} For a limit out of its range.
 */
export function limitServer<S extends ServerSocket = ServerSocket, L extends GivenLimits = Limiter>(
  server: ServerLike,
  limits: L | LimitsOptions = {},
  options: LimitServerOptions<S> = {},
): LimitedServer<LimiterOf<L>> {
  checkServer(server, limits);
  checkAnswerHooks("server", options, ["client", ...DEADLINES, ...EVICTIONS]);
  checkDeadlines(options);
  checkEvictions(options, NO_WAIT);
  const limiter = toLimiter(limits);
  const { client } = options;
  const pending = client === undefined ? stageFor<ServerSocket>(limiter) : findClients(client, serverAccess(server));
  const port = new ServerPort(server, limiter, options as LimitServerOptions, pending);
  const gate = ServerGate.of(server);
  gate.add(port);
  const detach = () => gate.remove(port);
  const slotOf = (socket: object) => slotFrom(limiter, port.recordOf(socket));
  return { limiter, slotOf, detach, [Symbol.dispose]: detach };
}
