/**
 * `dashboard()`: a page that shows limiters.
 *
 * @module
 */

import { hookFailed } from "../admission/hooks.ts";
import type { DisposableLike } from "../core/disposable_like.ts";
import { checkPlainObject, typeError } from "../core/validate.ts";
import { answer } from "./answer.ts";
import { authorization } from "./authorization.ts";
import { Board } from "./board.ts";
import { checkDashboardOptions, type DashboardOptions } from "./dashboard_options.ts";
import { nodeHandler, type NodeRequestLike, type NodeResponseLike } from "./node_handler.ts";
import type { LimiterLike } from "./shown_limiter.ts";

/** A handler that serves a dashboard, at whatever path it is given. Disposing of it ends it. */
export interface Dashboard extends DisposableLike {
  /**
   * Answers a request, for `Deno.serve()`, `Bun.serve()`, Hono and other fetch handlers. It never rejects.
   *
   * @param info The second argument of the server's handler, from which `authorize: "loopback"` has the client's address.
   */
  (request: Request, info?: unknown): Promise<Response>;
  /**
   * Answers a request of `node:http`, Express and other servers on Node. `authorize` has `{ incoming, outgoing }` as its second
   * argument, which are the request and the response.
   */
  readonly node: (request: NodeRequestLike, response: NodeResponseLike) => void;
}

/**
 * Makes a handler that serves a page about limiters: what is open over time, what is refused and why, the clients with most
 * open, those refused most, the limits in force, and a form that explains what a client would be answered.
 *
 * The path's last segment says what is asked for: `stats.json` has all of that as JSON (a {@linkcode DashboardSnapshot}),
 * `events` has it as server-sent events, `explain?peer=192.0.2.7` what a client would be answered, by `key=` for one with a
 * key, and with `limiter=` of several limiters. Other names with a dot are not found; everything else is the page.
 *
 * It samples the counters of each limiter every {@linkcode DashboardOptions.interval}, whether anyone looks or not. Clients are
 * ranked only while someone does, for all viewers together: in one percent of the time, up to a million clients. It watches the refusals of the
 * limiters, as `watchRefusals()` does. It holds them weakly, and its timer keeps no process alive.
 *
 * @example Deno, at a port of its own
 * ```ts ignore
 * import { Limiter } from "@connlimit/connlimit";
 * import { dashboard } from "@connlimit/connlimit/dashboard";
 *
 * const limiter = new Limiter({ maxPerClient: 10 });
 * Deno.serve({ hostname: "127.0.0.1", port: 9000 }, dashboard({ chat: limiter }, { authorize: "loopback" }));
 * ```
 *
 * @param limiters The limiters by the names that the page has for them.
 * @throws {TypeError} Without `authorize`, if `limiters` has no limiter or something else, for an unknown option, or for a value
 * of the wrong type.
 * @throws {RangeError} For a number out of range.
 */
export function dashboard(limiters: Readonly<Record<string, LimiterLike>>, options: DashboardOptions): Dashboard {
  checkLimiters(limiters);
  const checked = checkDashboardOptions(options);
  const board = new Board(limiters, checked);

  const handle = async (request: Request, info?: unknown): Promise<Response> => {
    try {
      return await authorization(checked.authorize, request, info) ?? await answer(request, board);
    } catch (error) {
      hookFailed(handle, undefined, error);
      return new Response("The dashboard failed. The server's log has the error.\n", { status: 500 });
    }
  };
  return Object.assign(handle, {
    node: nodeHandler(handle),
    [Symbol.dispose]: () => board[Symbol.dispose](),
  });
}

function checkLimiters(limiters: unknown): void {
  if (isLimiter(limiters)) throw new TypeError("limiters must be named: write dashboard({ name: limiter }, options)");
  checkPlainObject("limiters", limiters);
  const entries = Object.entries(limiters);
  if (entries.length === 0) throw new TypeError("limiters must have at least one limiter, got none");
  for (const [name, limiter] of entries) {
    if (isLimiter(limiter)) continue;
    const error = typeError(`limiters[${JSON.stringify(name)}]`, "a limiter", limiter);
    // What limits a server has its limiter.
    if (isLimiter((limiter as { readonly limiter?: unknown } | null | undefined)?.limiter)) {
      error.message += `; pass its property "limiter", which is one`;
    }
    throw error;
  }
}

function isLimiter(value: unknown): boolean {
  const { stats, limits } = (value ?? {}) as Partial<LimiterLike>;
  return typeof stats === "function" && typeof limits === "object";
}
