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
 * @typeParam I The second argument of the fetch handler.
 */
export interface LimitRequestsOptions<Q extends Request = Request, I = unknown> {
  /**
   * Returns the client of a request, for servers behind a proxy: an address without port or brackets, or `{ key }`. If
   * it returns nothing or throws, the request is refused as `"unknown-address"`; what it throws goes to `onError`. It
   * must not return a promise.
   *
   * A client that controls the value can pretend to be any other. Read a header only if your own proxy sets it.
   *
   * @default the address of the connection
   */
  readonly client?: (request: Q, info: I) => Peer | null | undefined;
  /**
   * Returns the response to a refused request. If it returns nothing, throws or rejects, the default is used.
   *
   * @default `429` for `"client"` and `"aggregate"`, `503` for `"total"`, both with `Retry-After: 1`; `403` for other
   * reasons. All have `Connection: close` and a line of text
   */
  readonly answer?: (refusal: Refusal, request: Q, info: I) => Response | void | Promise<Response | void>;
  /**
   * Called for each refused request, before it is answered. Its result is ignored. What it throws or rejects with goes
   * to `onError`.
   */
  readonly onRefused?: (refusal: Refusal, request: Q, info: I) => unknown;
  /**
   * Receives what `client`, `answer` or `onRefused` throws or rejects with. Without it, the first failure of each is
   * logged with `console.error`.
   */
  readonly onError?: ErrorHook;
}

/**
 * A fetch handler with limits, and its limiter.
 *
 * @typeParam Q The requests.
 * @typeParam I The second argument of the fetch handler.
 * @typeParam R The result of the handler.
 */
export interface LimitedHandler<Q, I, R> {
  (request: Q, info: I): R | Response | Promise<Response>;
  /** Admits, counts and refuses the requests. */
  readonly limiter: Limiter;
}

/**
 * Limits a fetch handler: each request in flight and each open WebSocket holds a slot. For `Deno.serve`, `Bun.serve`
 * and `export default { fetch }`.
 *
 * It does not limit connections, which these servers do not expose. Idle connections and half-sent requests are not
 * counted. To limit connections, use `limitServer()` with a server of `node:http`.
 *
 * A refused request does not reach the handler. An admitted one holds its slot until the response is sent or given up,
 * and the handler has settled. The response is passed on unchanged.
 *
 * Put the limited handler outermost. A request without the second argument of the runtime, such as in a test, has no
 * address and is refused. For when exactly each runtime releases a slot see docs/runtimes.md in the
 * repository.
 *
 * @example A server on Deno; on Bun pass the handler to `Bun.serve({ fetch })`
 * ```ts ignore
 * import { limitRequests } from "@connlimit/connlimit/http";
 *
 * Deno.serve(limitRequests({ maxPerClient: 20 }, () => new Response("hello\n")));
 * ```
 *
 * @param limits A limiter, or limits for a new one.
 * @param handler The fetch handler. Annotate its parameters to type the second one:
 * `(request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>) => …`.
 * @param options The client of a request, the answer to a refused one, and hooks.
 * @returns The limited handler. What `handler` throws or rejects with passes through it.
 * @throws {TypeError} If `handler` is not a function, for an unknown option or a value of the wrong type.
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
