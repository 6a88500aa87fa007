/**
 * `limitRequests()`: limits requests in flight and WebSockets.
 *
 * @module
 */

import { callHook, checkHooks, type ErrorHook, hookFailed, isThenable } from "../admission/hooks.ts";
import { refusedResponse } from "../admission/refusal_response.ts";
import { internalsOf } from "../core/internals.ts";
import { type Limiter, toLimiter } from "../core/limiter.ts";
import type { LimitsOptions } from "../core/limits.ts";
import type { Peer } from "../core/peer.ts";
import type { Refusal } from "../core/slot.ts";
import { checkHook, formatValue } from "../core/validate.ts";
import { type BunServerLike, BunTracker, isBunServer } from "./bun_tracker.ts";
import { DenoTracker } from "./deno_tracker.ts";
import { InFlightRequest } from "./in_flight_request.ts";
import type { RequestTracker } from "./request_tracker.ts";

/**
 * The options of {@linkcode limitRequests}.
 *
 * @typeParam Q The requests.
 * @typeParam I What the runtime passes to a fetch handler beside the request.
 */
export interface LimitRequestsOptions<Q extends Request = Request, I = unknown> {
  /**
   * Names the client of a request, for servers behind a proxy: an address without a port or brackets, or `{ key }`. A client
   * that controls what this reads can pretend to be any other: read a header only if your own proxy has set it. Where the
   * function returns nothing or throws, the request is refused as `"unknown-address"`; what it throws goes to `onError`. It
   * must not return a promise.
   *
   * @default the address of the connection
   */
  readonly client?: (request: Q, info: I) => Peer | null | undefined;
  /**
   * Answers a refused request. Where it returns nothing, throws or rejects, the default answer is given.
   *
   * @default `429` for the reasons `"client"` and `"aggregate"`, `503` for `"total"`, both with `Retry-After: 1`; `403` for
   * the others; all with `Connection: close` and a line of text
   */
  readonly answer?: (refusal: Refusal, request: Q, info: I) => Response | void | Promise<Response | void>;
  /**
   * Called with each refused request and the reason, before the request is answered. Its result is ignored. What it throws or
   * rejects with goes to `onError`.
   */
  readonly onRefused?: (refusal: Refusal, request: Q, info: I) => unknown;
  /**
   * Called with what `client`, `answer` or `onRefused` threw or rejected with. Without it, the first failure of each is
   * printed by `console.error`.
   */
  readonly onError?: ErrorHook;
}

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
  const { client, answer, onRefused, onError } = options;
  checkHook("client", client);
  checkHook("answer", answer);
  const limiter = toLimiter(limits);
  const tryAccept = internalsOf(limiter)?.tryAccept;
  const followerOf = followers();
  const find = client === undefined ? undefined : finder(client, onError);

  const handle = function (this: unknown, request: Q, info: I): R | Response | Promise<Response> {
    const follower = followerOf(info);
    const peer = find === undefined ? follower.peerOf(request, info) : find(request, info);
    const admission = follower.sweep === undefined || tryAccept === undefined
      ? limiter.tryAccept(peer as Peer)
      : tryAccept(peer as Peer, follower.sweep);
    if (!admission.admitted) {
      callHook(onRefused, onError, admission, request, info);
      return answer === undefined
        ? refusedResponse(admission.reason)
        : respond(admission, () => answer(admission, request, info), answer, onError);
    }
    const tracked = new InFlightRequest(request, admission);
    let result: R | undefined;
    try {
      follower.start(tracked, info, find === undefined);
      return result = handler.call(this, request, info);
    } finally {
      follower.handlerReturned(tracked, result, info);
    }
  };
  return Object.assign(handle, { limiter });
}

/** Chooses how a request is followed by what the handler is called with. */
function followers(): (info: unknown) => RequestTracker<unknown> {
  const deno = new DenoTracker();
  const bun = new WeakMap<BunServerLike, BunTracker>();
  return (info) => {
    if (!isBunServer(info)) return deno as RequestTracker<unknown>;
    let follower = bun.get(info);
    if (follower === undefined) bun.set(info, follower = new BunTracker(info));
    return follower as RequestTracker<unknown>;
  };
}

/** Finds clients by a function of the user's, which may fail. */
function finder<Q, I>(
  client: (request: Q, info: I) => Peer | null | undefined,
  onError: ErrorHook | undefined,
): typeof client {
  return (request, info) => {
    try {
      const peer = client(request, info);
      // Plain JavaScript can return a promise, which is no peer; what it rejects with must not end the process.
      if (isThenable(peer)) peer.then(undefined, (error) => hookFailed(client, onError, error));
      return peer;
    } catch (error) {
      hookFailed(client, onError, error);
      return undefined;
    }
  };
}

/** The response that `ask` gives, or the default one. */
function respond(
  { reason }: Refusal,
  ask: () => Response | void | Promise<Response | void>,
  hook: object,
  onError: ErrorHook | undefined,
): Response | Promise<Response> {
  const failed = (error: unknown) => {
    hookFailed(hook, onError, error);
    return refusedResponse(reason);
  };
  try {
    const response = ask();
    if (!isThenable(response)) return response ?? refusedResponse(reason);
    return Promise.resolve(response).then((response) => response ?? refusedResponse(reason)).catch(failed);
  } catch (error) {
    return failed(error);
  }
}
