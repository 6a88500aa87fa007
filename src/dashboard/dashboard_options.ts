/**
 * The options of `dashboard()`.
 *
 * @module
 */

import type { Awaitable } from "../core/admitter.ts";
import { checkOptions, checkWhole, typeError } from "../core/validate.ts";

/**
 * Who may see a dashboard. With `"loopback"`: a client that connects from a loopback address and asks for a loopback host,
 * and no proxy in between. Otherwise a function of the request and of the handler's second argument: only `true` admits, and
 * a `Response` is the answer. What it throws, or anything else that it returns, is a 403.
 */
export type Authorize =
  | "loopback"
  | ((request: Request, info: unknown) => Awaitable<boolean | Response>);

/** The options of `dashboard()`. */
export interface DashboardOptions {
  /**
   * Who may see it. It has no default, because a dashboard shows the addresses of clients.
   */
  readonly authorize: Authorize;
  /**
   * Milliseconds between two samples, and between two messages to each viewer: 250 to 5,000.
   *
   * @default {2_000}
   */
  readonly interval?: number;
  /**
   * The clients in each table: 1 to 100.
   *
   * @default {10}
   */
  readonly top?: number;
  /**
   * The most pages that are live at once: 1 to 10,000. Others are answered with 503, and try again.
   *
   * @default {100}
   */
  readonly maxViewers?: number;
}

/**
 * Checks the options of `dashboard()`, and applies their defaults.
 *
 * @throws {TypeError} For an unknown option or a value of the wrong type, and without `authorize`.
 * @throws {RangeError} For a number out of range.
 */
export function checkDashboardOptions(options: DashboardOptions): Required<DashboardOptions> {
  // Plain JavaScript may leave them out, and is then told of `authorize`.
  const given: Partial<DashboardOptions> = options ?? {};
  checkOptions("options", "dashboard option", given, ["authorize", "interval", "top", "maxViewers"]);
  const { authorize, interval = 2_000, top = 10, maxViewers = 100 } = given;
  if (authorize !== "loopback" && typeof authorize !== "function") {
    throw typeError("authorize", `"loopback" or a function, since a dashboard shows addresses`, authorize);
  }
  checkWhole("interval", interval, 250, 5_000);
  checkWhole("top", top, 1, 100);
  checkWhole("maxViewers", maxViewers, 1, 10_000);
  return { authorize, interval, top, maxViewers };
}
