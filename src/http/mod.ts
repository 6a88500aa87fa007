/**
 * Limits requests in flight and WebSockets of fetch handlers: `Deno.serve`, `Bun.serve`, `export default { fetch }`.
 *
 * ```ts ignore
 * import { limitRequests } from "@connlimit/connlimit/http";
 *
 * Deno.serve(limitRequests({ maxPerClient: 20 }, () => new Response("hello\n")));
 * ```
 *
 * On Deno, open WebSockets with {@linkcode upgradeWebSocket}. `Deno.upgradeWebSocket()` bypasses the limits.
 *
 * `Limiter` and the types of refusals are in the package's root. Limits for connections of Node servers are in
 * `./node`.
 *
 * @module
 */

export type { Timeout } from "../admission/deadline_options.ts";
export type { ErrorHook } from "../admission/hooks.ts";
export type { WaitOptions } from "../admission/wait_options.ts";
export type { Admitter, Awaitable, GivenLimits, LimiterOf } from "../core/admitter.ts";
export type { TimeoutKind } from "../core/limiter_stats.ts";
export type { BunServerLike } from "./bun_server.ts";
export type { ServeInfo } from "./deno_tracker.ts";
export { type LimitedHandler, limitRequests } from "./limit_requests.ts";
export type { LimitRequestsOptions } from "./limit_requests_options.ts";
export { upgradeWebSocket, type UpgradeWebSocketOptions } from "./upgrade_web_socket.ts";
