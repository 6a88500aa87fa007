/**
 * `limitRequests()`: limits requests in flight and WebSockets.
 *
 * @module
 */

import type { Clock } from "../admission/clock.ts";
import { checkDeadlines } from "../admission/deadline_options.ts";
import { createGate } from "../admission/gate.ts";
import { checkHooks } from "../admission/hooks.ts";
import { checkLimitedOnce, markLimited } from "../admission/limit_once.ts";
import type { PendingStage } from "../admission/pending_stage.ts";
import { stageFor } from "../admission/stage_for.ts";
import { checkWaits, waitingStage, WAITS } from "../admission/wait_options.ts";
import { WaitingLimiter } from "../admission/waiting_limiter.ts";
import type { Admitter, GivenLimits, LimiterOf } from "../core/admitter.ts";
import type { Limiter } from "../core/limiter.ts";
import type { LimitsOptions } from "../core/limits.ts";
import type { Refusal } from "../core/slot.ts";
import { toLimiter } from "../core/to_limiter.ts";
import { checkHook, typeError } from "../core/validate.ts";
import { adaptedInfo } from "./adapter_info.ts";
import { AdapterTracker } from "./adapter_tracker.ts";
import { type BunServerLike, isBunServer } from "./bun_server.ts";
import { BunTracker } from "./bun_tracker.ts";
import { DenoTracker } from "./deno_tracker.ts";
import { InFlightRequest } from "./in_flight_request.ts";
import type { LimitRequestsOptions } from "./limit_requests_options.ts";
import { type Handler, RequestPort } from "./request_port.ts";
import type { RequestTracker } from "./request_tracker.ts";

/**
 * A fetch handler with limits, and its limiter.
 *
 * @typeParam Q The requests.
 * @typeParam I The second argument of the fetch handler.
 * @typeParam R The result of the handler.
 * @typeParam L The limiter.
 */
export interface LimitedHandler<Q, I, R, L extends Admitter = Limiter> {
  (request: Q, info: I): R | Response | Promise<Response>;
  /** Admits, counts and refuses the requests. */
  readonly limiter: L;
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
 * Put the limited handler outermost. With `@hono/node-server` and srvx, the address is that of the socket below. A request
 * without the second argument of the runtime, such as in a test, has no address and is refused. For when exactly each
 * runtime releases a slot see docs/runtimes.md in the repository.
 *
 * @example A server on Deno; on Bun pass the handler to `Bun.serve({ fetch })`
 * ```ts ignore
 * import { limitRequests } from "@connlimit/connlimit/http";
 *
 * Deno.serve(limitRequests({ maxPerClient: 20 }, () => new Response("hello\n")));
 * ```
 *
 * @param limits A limiter, or limits for a new one.
 * @param handler The fetch handler. Within `Deno.serve()` its parameters have types. Elsewhere annotate them, or the second is
 * `any`: `(request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>) => …`.
 * @param options The client of a request, the answer to a refused one, and hooks.
 * @returns The limited handler. What `handler` throws or rejects with passes through it.
 * @throws {TypeError} If `handler` is not a function, for an unknown option, a value of the wrong type, or a limiter that
 * the handler has already.
 * @throws {RangeError} For a limit out of its range.
 */
// deno-lint-ignore no-explicit-any -- each runtime has another type, and nothing would be of use to whoever names none
export function limitRequests<Q extends Request, I = any, R = Response, L extends GivenLimits = Limiter>(
  limits: L | LimitsOptions,
  handler: (request: Q, info: I) => R,
  options: LimitRequestsOptions<Q, I> = {},
): LimitedHandler<Q, I, R, LimiterOf<L>> {
  if (typeof handler !== "function") {
    if (typeof limits === "function") throw new TypeError("limits and handler are swapped: the limits come first");
    throw typeError("handler", "a function", handler);
  }
  checkHooks("request", options, ["client", "answer", "maxAge", "onTimeout", ...WAITS]);
  checkHook("client", options.client);
  checkHook("answer", options.answer);
  checkDeadlines(options);
  checkWaits(options);
  const limiter = toLimiter(limits);
  checkLimitedOnce("handler", handler, limiter);
  const limited = markLimited(
    limitHandler(
      options.whenFull === "wait" ? WaitingLimiter.of(limiter) : limiter,
      handler as Handler,
      options as LimitRequestsOptions,
      waitingStage(options) ?? stageFor(limiter),
    ),
    handler,
    limiter,
  );
  return Object.assign(limited as (request: Q, info: I) => R | Response | Promise<Response>, { limiter });
}

/** The handler with whatever admits requests in front of it. */
export function limitHandler(
  limiter: Admitter,
  handler: Handler,
  options: LimitRequestsOptions,
  pending?: PendingStage<InFlightRequest>,
  clock?: Clock,
): Handler {
  const { onRefused, onError } = options;
  const hooks = {
    onError,
    onRefused: onRefused &&
      ((refusal: Refusal, { request, info }: InFlightRequest) => onRefused(refusal, request, info)),
  };
  const gateTo = (tracker: RequestTracker<unknown>) =>
    createGate(new RequestPort(limiter, tracker, handler, options), limiter, hooks, pending);
  const deno = gateTo(new DenoTracker(clock) as RequestTracker<unknown>);
  const bun = new WeakMap<BunServerLike, typeof deno>();
  let adapted: typeof deno | undefined;
  return function (request, info) {
    let gate: typeof deno | undefined = deno;
    const own = isBunServer(info) ? info : adaptedInfo(request, info);
    if (isBunServer(own)) {
      gate = bun.get(own);
      if (gate === undefined) bun.set(own, gate = gateTo(BunTracker.of(limiter, own) as RequestTracker<unknown>));
    } else if (own !== info) {
      gate = adapted ??= gateTo(new AdapterTracker(clock) as RequestTracker<unknown>);
    }
    return gate(new InFlightRequest(request, info, this));
  };
}
