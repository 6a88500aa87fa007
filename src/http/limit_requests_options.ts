/**
 * The options of `limitRequests()`.
 *
 * @module
 */

import type { Timeout } from "../admission/deadline_options.ts";
import type { ErrorHook } from "../admission/hooks.ts";
import type { WaitOptions } from "../admission/wait_options.ts";
import type { Peer } from "../core/peer.ts";
import type { Refusal } from "../core/slot.ts";

/**
 * The options of `limitRequests()`.
 *
 * @typeParam Q The requests.
 * @typeParam I The second argument of the fetch handler.
 */
export interface LimitRequestsOptions<Q extends Request = Request, I = unknown> extends WaitOptions {
  /**
   * Returns the client of a request, for servers behind a proxy: an address without port or brackets, or `{ key }`. If
   * it throws or returns anything else, such as nothing or a promise, the request is refused as `"unknown-address"`, and
   * `onError` is told. Limits on `networks` and `aggregates` do not apply to `{ key }`.
   *
   * A client that controls the value can pretend to be any other. Read a header only if your own proxy sets it.
   *
   * @default the address of the connection
   */
  readonly client?: (request: Q, info: I) => Peer | null | undefined;
  /**
   * Returns the response to a refused request. If it returns nothing, throws or rejects, the default is used.
   *
   * @default `429` for `"client"`, `"aggregate"`, `"fair-share"` and `"rate"`, `503` for `"total"`, all with `Retry-After`; `403` for other
   * reasons. All have `Connection: close` and a line of text
   */
  readonly answer?: (refusal: Refusal, request: Q, info: I) => Response | void | Promise<Response | void>;
  /**
   * Called for each refused request, before it is answered. Its result is ignored. What it throws or rejects with goes
   * to `onError`.
   */
  readonly onRefused?: (refusal: Refusal, request: Q, info: I) => unknown;
  /**
   * Milliseconds that a request may take, with its response: 1 to 2,147,483,647, or `Infinity`. Then `request.signal` is
   * aborted with a `TimeoutError`, which the handler has to heed: the slot is held until it has settled and the response has
   * ended. A WebSocket of `upgradeWebSocket()` is closed.
   *
   * @default {Infinity}
   */
  readonly maxAge?: number;
  /**
   * Called for each request that has met `maxAge`, right before its signal is aborted. Its result is ignored. What it throws
   * or rejects with goes to `onError`.
   */
  readonly onTimeout?: (timeout: Timeout, request: Q, info: I) => unknown;
  /**
   * Receives what `client`, `answer`, `onRefused` or `onTimeout` throws or rejects with. Also receives a `TypeError`, once for each
   * cause, if the handler is set up so that it refuses everyone, takes a proxy for a client, or has WebSockets or
   * responses without slots. Its message names the remedy. Without `onError`, the first failure of each hook and each
   * such message is logged with `console.error`.
   */
  readonly onError?: ErrorHook;
}
