/**
 * `limitRequests()`: limits requests in flight and WebSockets.
 *
 * @module
 */

import { Gate } from "../admission/gate.ts";
import { checkHooks } from "../admission/hooks.ts";
import type { PendingStage } from "../admission/pending_stage.ts";
import type { Admitter } from "../admission/port.ts";
import { type Limiter, toLimiter } from "../core/limiter.ts";
import type { LimitsOptions } from "../core/limits.ts";
import type { Refusal } from "../core/slot.ts";
import { checkHook, formatValue } from "../core/validate.ts";
import { type BunServerLike, BunTracker, isBunServer } from "./bun_tracker.ts";
import { DenoTracker } from "./deno_tracker.ts";
import { InFlightRequest } from "./in_flight_request.ts";
import type { LimitRequestsOptions } from "./limit_requests_options.ts";
import { type Handler, RequestPort } from "./request_port.ts";
import type { RequestTracker } from "./request_tracker.ts";
import { sweeping } from "./sweep.ts";

/**
 * A fetch handler with limits, and its limiter.
 *
 * @typeParam Q The requests.
 * @typeParam I What the runtime passes to a fetch handler beside the request.
 * @typeParam R What the handler returns.
 */
export interface LimitedHandler<Q, I, R> {
  (request: Q, info: I): R | Response | Promise<Response>;
  /** What admits, counts and refuses the requests. */
  readonly limiter: Limiter;
}

/**
 * Limits a fetch handler: each client's requests in flight and its open WebSockets tracked a slot each. It is made for
 * `Deno.serve`, `Bun.serve` and `export default { fetch }`, which tell nothing of their connections. To limit these, use
 * `limitServer()` with a server of `node:http`: a client that connects and sends nothing, or half a request, costs a
 * server memory that no handler sees.
 *
 * A refused request does not reach the handler. An admitted one holds its slot until its response is done: handed over to
 * the system to the last byte, or given up because the client has left. The handler's response is passed on as it is.
 *
 * On Deno:
 *
 * - Call `upgradeWebSocket()` in place of Deno's own, as the handler's last step; otherwise a WebSocket's slot is given
 *   back when it opens. A handler that has upgraded and then never settles keeps the slot.
 * - A response of a fixed body counts as done when it has been handed to the server, whether or not the client reads it.
 * - Where a handler never settles and its client has left, it takes up to ten seconds until the slot is given back; over
 *   HTTP/2 it may never be, if the client has left within the first five. To know, a request's signal has to be looked at
 *   after five seconds, on which Deno prints a warning, once, if the handler succeeds after all; there is none with its
 *   option `--unstable-no-legacy-abort`.
 * - Deno 2.9 does not close the connection of a refused request, although the answer says so.
 *
 * On Bun:
 *
 * - The end of a response that took longer than a turn of the event loop may be seen a second later in the counts of the
 *   limiter; in its answers at `aggregates` and `maxTotal` a tenth of a second later, and at `maxPerClient` at once.
 * - Where a handler never settles and its client has left, it takes some six seconds until the slot is given back.
 * - WebSockets are seen by way of `server.upgrade`, which must not be taken from the server before the first request.
 * - Over Unix sockets, and for requests that are not Bun's own but made of one, a response counts as done when it is
 *   returned.
 *
 * Put the limited handler outermost: around it, others may have answered before it is called. Called without what the
 * runtime hands over, as in a test of one's own, a request has no address and is refused.
 *
 * @example A server on Deno
 * ```ts ignore
 * import { limitRequests } from "@connlimit/connlimit/http";
 *
 * Deno.serve(limitRequests({ maxPerClient: 20 }, () => new Response("hello\n")));
 * ```
 *
 * @example The same on Bun
 * ```ts ignore
 * import { limitRequests } from "@connlimit/connlimit/http";
 *
 * Bun.serve({ fetch: limitRequests({ maxPerClient: 20 }, () => new Response("hello\n")) });
 * ```
 *
 * @param limits A limiter, or the limits for one of its own.
 * @param handler The fetch handler. It is called with the request and with what stands beside it, whose types are those that
 * the handler gives its parameters: `(request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>) => …`.
 * @param options How clients are found, and hooks.
 * @returns The limited handler. What `handler` throws or rejects with passes through it.
 * @throws {TypeError} If `handler` is no function, for an unknown option or a value of the wrong type.
 * @throws {RangeError} For a limit out of its range.
 */
export function limitRequests<Q extends Request, I, R>(
  limits: Limiter | LimitsOptions,
  handler: (request: Q, info: I) => R,
  options: LimitRequestsOptions<Q, I> = {},
): LimitedHandler<Q, I, R> {
  if (typeof handler !== "function") throw new TypeError(`handler must be a function, got ${formatValue(handler)}`);
  checkHooks("request", options, ["client", "answer"]);
  checkHook("client", options.client);
  checkHook("answer", options.answer);
  const limiter = toLimiter(limits);
  const limited = limitHandler(limiter, handler as Handler, options as LimitRequestsOptions);
  return Object.assign(limited as (request: Q, info: I) => R | Response | Promise<Response>, { limiter });
}

/** The handler with whatever admits requests in front of it. */
export function limitHandler(
  limiter: Admitter,
  handler: Handler,
  options: LimitRequestsOptions,
  pending?: PendingStage<InFlightRequest>,
): Handler {
  const { onRefused, onError } = options;
  const hooks = {
    onError,
    onRefused: onRefused &&
      ((refusal: Refusal, { request, info }: InFlightRequest) => onRefused(refusal, request, info)),
  };
  const gateTo = (tracker: RequestTracker<unknown>) =>
    new Gate(new RequestPort(tracker, handler, options), sweeping(limiter, tracker.sweep), hooks, pending);
  const deno = gateTo(new DenoTracker() as RequestTracker<unknown>);
  const bun = new WeakMap<BunServerLike, typeof deno>();
  return function (request, info) {
    let gate: typeof deno | undefined = deno;
    if (isBunServer(info)) {
      gate = bun.get(info);
      if (gate === undefined) bun.set(info, gate = gateTo(new BunTracker(info) as RequestTracker<unknown>));
    }
    return gate.offer(new InFlightRequest(request, info, this));
  };
}
