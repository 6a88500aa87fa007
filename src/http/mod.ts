/**
 * Limits for HTTP handlers: requests in flight and WebSockets, on `Deno.serve`, `Bun.serve` and whatever calls a fetch
 * handler in their way.
 *
 * ```ts ignore
 * import { limitRequests } from "@connlimit/connlimit/http";
 *
 * Deno.serve(limitRequests({ maxPerClient: 20 }, () => new Response("hello\n")));
 * ```
 *
 * On Deno, WebSockets are opened by {@linkcode upgradeWebSocket}; by Deno's own function they escape the limits.
 *
 * `Limiter`, and the types of refusals, are in the package's root; limits for the connections of Node's servers are in
 * `./node`.
 *
 * @module
 */

export type { ErrorHook } from "../admission/hooks.ts";
export type { BunServerLike } from "./bun_tracker.ts";
export type { ServeInfo } from "./deno_tracker.ts";
export { type LimitedHandler, limitRequests } from "./limit_requests.ts";
export type { LimitRequestsOptions } from "./limit_requests_options.ts";
export { upgradeWebSocket, type UpgradeWebSocketOptions } from "./upgrade_web_socket.ts";
