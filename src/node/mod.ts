/**
 * Limits connections to the servers of `node:net`, `node:tls`, `node:http`, `node:https` and `node:http2`, and to what
 * is built on them; or the requests of those of HTTP, for servers behind a proxy. For Node, Deno and Bun.
 *
 * ```ts ignore
 * import { createServer } from "node:http";
 * import { limitServer, tooManyConnections } from "@connlimit/connlimit/node";
 *
 * const server = createServer((_request, response) => response.end("hello\n"));
 * limitServer(server, { maxPerClient: 20 }, {
 *   answer: tooManyConnections(),
 *   onRefused: ({ reason }, socket) => console.log(`refused ${socket.remoteAddress}: ${reason}`),
 * });
 * server.listen(8000);
 * ```
 *
 * `Limiter` and the types of refusals are in the package's root. Limits for fetch handlers are in `./http`.
 *
 * @module
 */

export type { ClientFinder } from "../admission/client_finder.ts";
export type { DeadlineOptions, Timeout } from "../admission/deadline_options.ts";
export type { Eviction, EvictionOptions } from "../admission/eviction_options.ts";
export type { ErrorHook, RefusalHooks } from "../admission/hooks.ts";
export type {
  AnswerBudget,
  AnswerHooks,
  AnswerMessage,
  AnswerOptions,
  RefusalAnswer,
} from "../admission/refusal_answer.ts";
export type { WaitOptions } from "../admission/wait_options.ts";
export type { Admitter, Awaitable, GivenLimits, LimiterOf } from "../core/admitter.ts";
export type { TimeoutKind } from "../core/limiter_stats.ts";
export { type LimitedServer, limitServer } from "./limit_server.ts";
export { type LimitedServerRequests, limitServerRequests } from "./limit_server_requests.ts";
export type { RequestAnswer } from "./refuse_request.ts";
export type { LimitServerRequestsOptions } from "./requests_port.ts";
export type { ServerLike, ServerSocket } from "./server_like.ts";
export type { LimitServerOptions } from "./server_port.ts";
export type { ServerRequest } from "./server_request.ts";
export { tooManyConnections } from "./too_many_connections.ts";
