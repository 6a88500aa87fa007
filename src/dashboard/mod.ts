/**
 * A page that shows limiters: who is open, who is refused, and why.
 *
 * {@linkcode dashboard} makes a fetch handler of limiters. The page loads nothing from elsewhere, and is live by
 * server-sent events.
 *
 * ```ts ignore
 * import { limitedListener } from "@connlimit/connlimit";
 * import { dashboard } from "@connlimit/connlimit/dashboard";
 *
 * const listener = limitedListener(Deno.listen({ port: 7000 }), { maxPerClient: 10 });
 * const page = dashboard({ echo: listener.limiter }, { authorize: "loopback" });
 * Deno.serve({ hostname: "127.0.0.1", port: 9000 }, page);
 * ```
 *
 * @module
 */

export type { ClientCount, LimiterStats } from "../core/limiter_stats.ts";
export type { ExplainedLevel, ExplainedRule, Explanation, FoundBy } from "../core/explanation.ts";
export type { Limits } from "../core/limits.ts";
export type { RefusedClient } from "../core/top_clients.ts";
export { type Dashboard, dashboard } from "./dashboard.ts";
export type { Authorize, DashboardOptions } from "./dashboard_options.ts";
export type { NodeRequestLike, NodeResponseLike } from "./node_handler.ts";
export type { DashboardHistory, DashboardLimiter, DashboardSnapshot, OpenClient, ShownLimits } from "./snapshot.ts";
export type { LimiterLike } from "./shown_limiter.ts";
