/**
 * `limitServer()`: limits the servers that stand on `node:net`, in place.
 *
 * @module
 */

import { checkHooks } from "../admission/hooks.ts";
import { type Limiter, toLimiter } from "../core/limiter.ts";
import type { LimitsOptions } from "../core/limits.ts";
import { checkHook, formatValue } from "../core/validate.ts";
import { ServerGate } from "./server_gate.ts";
import type { ServerLike, ServerSocket } from "./server_like.ts";
import { type LimitServerOptions, ServerPort } from "./server_port.ts";

/** A limiter's hold on a server. */
export interface LimitedServer extends Disposable {
  /** What admits, counts and refuses the server's connections. */
  readonly limiter: Limiter;
  /**
   * Lets the server accept without limits again. Connections that are open stay counted until they close. Detaching twice
   * is no error.
   */
  detach(): void;
  /** The same as {@linkcode LimitedServer.detach}, for `using`. */
  [Symbol.dispose](): void;
}

/** What tells such a server from other emitters: a `WebSocketServer` of `ws` has all of them but `listen`. */
const SERVER_METHODS = ["emit", "address", "listen"] as const;

/**
 * Limits a server of `node:net`, `node:tls`, `node:http`, `node:https` or `node:http2`, and what stands on one: Express,
 * Fastify, `ws`. It works in place, on Node, Deno and Bun, and before or after `listen()`.
 *
 * A refused connection is destroyed before anybody else hears of it: no listener, no handler, no handshake. An admitted
 * one is counted until its socket closes: with keep-alive from the first request to the last, with HTTP/2 once for all
 * its streams, and after an upgrade, as to a WebSocket, for as long as that lasts. Connections that were open before are
 * not counted. The peers of a Unix socket are one client together.
 *
 * | server             | counted on Node and Deno | counted on Bun                              |
 * | ------------------ | ------------------------ | ------------------------------------------- |
 * | net, tls, http2    | when it is accepted      | when it is accepted                         |
 * | http               | when it is accepted      | with its first byte, or a second later, on  |
 * |                    |                          | Linux; elsewhere when it is accepted        |
 * | https              | when it is accepted      | after the handshake, which a refused client |
 * |                    |                          | is granted; a stalled one is not seen       |
 *
 * On Bun `http2.createSecureServer({ allowHTTP1: true })` serves the clients of HTTPS and counts at accept.
 *
 * An upgraded connection whose client ends its side stays open, and counted, until the server ends it, too. `ws` gives a
 * client that does not answer its `close()` 30 seconds.
 *
 * Where the server does not read a socket, none of the runtimes sees the end of a client behind data that is unread:
 * `"close"` does not come, and the slot stays taken until the server reads on, destroys the socket or times it out.
 *
 * A refused client gets no answer unless the option `answer` gives one; {@linkcode tooManyConnections} makes one for HTTP.
 *
 * A server may have several limiters; all of them must admit. With `node:cluster`, each worker counts for itself.
 *
 * @example A web server
 * ```ts ignore
 * import { createServer } from "node:http";
 * import { limitServer } from "@connlimit/connlimit/node";
 *
 * const server = createServer((_request, response) => response.end("hello\n"));
 * limitServer(server, { maxPerClient: 20 });
 * server.listen(8000);
 * ```
 *
 * @param server The server, which stays the same object.
 * @param limits A limiter, which several servers may share, or the limits for one of its own.
 * @param options An answer for refused clients, and hooks.
 * @returns A way to detach the limiter again; it need not be kept.
 * @throws {TypeError} For what is no server, an unknown option, a value of the wrong type, or a limiter that the server
 * has already.
 * @throws {RangeError} For a limit out of its range.
 */
export function limitServer<S extends ServerSocket = ServerSocket>(
  server: ServerLike,
  limits: Limiter | LimitsOptions = {},
  options: LimitServerOptions<S> = {},
): LimitedServer {
  if (SERVER_METHODS.some((method) => typeof server?.[method] !== "function")) {
    throw new TypeError(`server must be a server of node:net or of what stands on it, got ${formatValue(server)}`);
  }
  checkHooks("server", options, ["answer"]);
  checkHook("answer", options.answer);
  const limiter = toLimiter(limits);
  const port = new ServerPort(server, limiter, options as LimitServerOptions);
  const gate = ServerGate.of(server);
  gate.add(port);
  const detach = () => gate.remove(port);
  return { limiter, detach, [Symbol.dispose]: detach };
}
