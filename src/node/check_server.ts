/**
 * Telling servers from what only looks like one.
 *
 * @module
 */

import { typeError } from "../core/validate.ts";
import type { ServerLike } from "./server_like.ts";

/** A server has all of these. Other emitters lack one: the `WebSocketServer` of `ws` has no `listen`. */
const METHODS: readonly string[] = ["emit", "address", "listen"];

/** Servers of HTTP have this one, too; those of `node:net` and `node:tls` lack it. */
const HTTP_METHODS: readonly string[] = [...METHODS, "setTimeout"];

/**
 * Checks that connections can be limited.
 *
 * @throws {TypeError} If `server` is no server. Packages such as `ssh2`, `ldapjs` and `restify` have classes of that name,
 * whose `"connection"` is another event. The error says which of their properties is the server inside.
 */
export function checkServer(server: ServerLike, limits: unknown): void {
  check(server, "a server of node:net or of what stands on it", METHODS, limits);
}

/**
 * Checks that requests can be limited.
 *
 * @throws {TypeError} If `server` is no server of HTTP, as {@linkcode checkServer} does.
 */
export function checkHttpServer(server: ServerLike, limits: unknown): void {
  check(server, "a server of node:http, node:https or node:http2", HTTP_METHODS, limits);
}

function check(server: ServerLike, expected: string, methods: readonly string[], limits: unknown): void {
  if (isServer(server, methods)) return;
  if (isServer(limits, methods)) throw new TypeError("server and limits are swapped: the server comes first");
  const error = typeError("server", expected, server);
  const inside = Object.entries(server ?? {}).find(([, value]) => isServer(value, methods));
  if (inside !== undefined) error.message += `; pass its property ${JSON.stringify(inside[0])}, which is one`;
  // An application of Express or Koa makes its server when it is told to listen.
  else if (typeof server?.listen === "function" && typeof server.address !== "function") {
    error.message += "; pass what its listen() returns";
  }
  throw error;
}

/** All servers of the runtimes say whether they listen. */
function isServer(value: unknown, methods: readonly string[]): boolean {
  const server = value as Record<string, unknown> | null | undefined;
  return typeof server?.listening === "boolean" && methods.every((method) => typeof server[method] === "function");
}
