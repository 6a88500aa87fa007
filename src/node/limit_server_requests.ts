/**
 * `limitServerRequests()`: limits the requests of servers of `node:http`, `node:https` and `node:http2`, in place.
 *
 * @module
 */

import { checkDeadlines, DEADLINES } from "../admission/deadline_options.ts";
import { checkHooks } from "../admission/hooks.ts";
import { stageFor } from "../admission/stage_for.ts";
import { checkWaits, WAITS } from "../admission/wait_options.ts";
import type { DisposableLike } from "../core/disposable_like.ts";
import type { Admitter, GivenLimits, LimiterOf } from "../core/admitter.ts";
import type { Limiter } from "../core/limiter.ts";
import type { LimitsOptions } from "../core/limits.ts";
import { toLimiter } from "../core/to_limiter.ts";
import { checkHook } from "../core/validate.ts";
import { checkHttpServer } from "./check_server.ts";
import { type LimitServerRequestsOptions, RequestsPort } from "./requests_port.ts";
import { ServerGate } from "./server_gate.ts";
import type { ServerLike } from "./server_like.ts";
import type { ServerRequest } from "./server_request.ts";

/** A request has sent its first byte. */
const REQUEST_DEADLINES = DEADLINES.filter((name) => name !== "firstByteTimeout");

/**
 * The limits of a server's requests. Returned by {@linkcode limitServerRequests}.
 *
 * @typeParam L The limiter.
 */
export interface LimitedServerRequests<L extends Admitter = Limiter> extends DisposableLike {
  /** Admits, counts and refuses the requests. */
  readonly limiter: L;
  /** Removes the limits, as `using` does. Requests in flight stay counted until they end. A second call does nothing. */
  detach(): void;
}

/**
 * Limits the requests of a server of `node:http`, `node:https` or `node:http2`, and of what is built on one: Express,
 * Fastify, Koa, NestJS, `@hono/node-server`, `ws`, socket.io. For servers behind an HTTP proxy, whose connections are the
 * proxy's. It works in place, before or after listeners are added, on Node, Deno and Bun.
 *
 * Each request in flight holds a slot, and each upgraded socket (a WebSocket, or a tunnel of `CONNECT`) until it closes.
 * With HTTP/2 each stream is a request. A slot is released when the response has been sent, or when the connection closes,
 * whichever is first; a handler may still be at work then. A refused request is answered before any listener or handler
 * sees it.
 *
 * It does not limit connections: idle ones and half-sent requests are not counted. `limitServer()` limits those, and a
 * server may have both, with a limiter each.
 *
 * @example A server behind a proxy on the same machine
 * ```ts ignore
 * import { createServer } from "node:http";
 * import { limitServerRequests } from "@connlimit/connlimit/node";
 * import { forwarded } from "@connlimit/connlimit/proxy";
 *
 * const server = createServer((_request, response) => void response.end("hello\n"));
 * limitServerRequests(server, { maxPerClient: 20 }, {
 *   client: forwarded({ header: "x-forwarded-for", trusted: ["127.0.0.0/8", "::1"] }),
 *   onRefused: ({ reason }, request, client) => console.log(`refused ${request.url} of ${client}: ${reason}`),
 * });
 * server.listen(7000, "127.0.0.1");
 * ```
 *
 * @param server The server, which stays the same object.
 * @param limits A limiter, which several servers may share, or limits for a new one.
 * @param options The client of a request, the answer to a refused one, and hooks.
 * @returns The limiter, and a way to remove the limits. It need not be kept.
 * @throws {TypeError} If `server` is not a server of HTTP, for an unknown option, a value of the wrong type, or a limiter
 * that the server has already, also one for its connections.
 * @throws {RangeError} For a limit out of its range.
 */
export function limitServerRequests<Q extends ServerRequest = ServerRequest, L extends GivenLimits = Limiter>(
  server: ServerLike,
  limits: L | LimitsOptions = {},
  options: LimitServerRequestsOptions<Q> = {},
): LimitedServerRequests<LimiterOf<L>> {
  checkHttpServer(server, limits);
  checkHooks("server request", options, ["client", "answer", ...REQUEST_DEADLINES, ...WAITS]);
  checkDeadlines(options);
  checkWaits(options);
  checkHook("client", options.client);
  checkHook("answer", options.answer);
  const limiter = toLimiter(limits);
  const port = new RequestsPort(server, limiter, options as unknown as LimitServerRequestsOptions, stageFor(limiter));
  const gate = ServerGate.of(server);
  gate.addForRequests(port);
  const detach = () => gate.removeForRequests(port);
  return { limiter, detach, [Symbol.dispose]: detach };
}
