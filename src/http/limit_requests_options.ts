/**
 * The options of `limitRequests()`.
 *
 * @module
 */

import type { ErrorHook } from "../admission/hooks.ts";
import type { Peer } from "../core/peer.ts";
import type { Refusal } from "../core/slot.ts";

/**
 * The options of `limitRequests()`.
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
