/**
 * Limits for the servers of `node:net`, `node:tls`, `node:http`, `node:https` and `node:http2`, and for what stands on
 * them, on Node, Deno and Bun.
 *
 * ```ts ignore
 * import { createServer } from "node:http";
 * import { limitServer } from "@connlimit/connlimit/node";
 *
 * const server = createServer((_request, response) => response.end("hello\n"));
 * limitServer(server, { maxPerClient: 20 }, {
 *   onRefused: ({ reason }, socket) => console.log(`refused ${socket.remoteAddress}: ${reason}`),
 * });
 * server.listen(8000);
 * ```
 *
 * {@linkcode tooManyConnections} answers refused clients of HTTP with a `429`. `Limiter`, and the types of refusals,
 * are in the package's root; limits for fetch handlers are in `./http`.
 *
 * @module
 */

export type { ErrorHook, RefusalHooks } from "../admission/hooks.ts";
export { type LimitedServer, limitServer } from "./limit_server.ts";
export type { ServerLike, ServerSocket } from "./server_like.ts";
export type { LimitServerOptions, SocketAnswer } from "./server_port.ts";
export { tooManyConnections, type TooManyConnectionsOptions } from "./too_many_connections.ts";
