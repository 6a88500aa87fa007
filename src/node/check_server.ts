/**
 * Telling servers from what only looks like one.
 *
 * @module
 */

import { typeError } from "../core/validate.ts";
import type { ServerLike } from "./server_like.ts";

/** A server has all of these. Other emitters lack one: the `WebSocketServer` of `ws` has no `listen`. */
const METHODS = ["emit", "address", "listen"] as const;

/**
 * @throws {TypeError} If `server` is no server. Packages such as `ssh2`, `ldapjs` and `restify` have classes of that name,
 * whose `"connection"` is another event. The error says which of their properties is the server inside.
 */
export function checkServer(server: ServerLike): void {
  if (isServer(server)) return;
  const error = typeError("server", "a server of node:net or of what stands on it", server);
  const inside = Object.entries(server ?? {}).find(([, value]) => isServer(value));
  if (inside !== undefined) error.message += `; pass its property ${JSON.stringify(inside[0])}, which is one`;
  throw error;
}

/** All servers of the runtimes say whether they listen. */
function isServer(value: unknown): boolean {
  const server = value as Partial<ServerLike> | null | undefined;
  return typeof server?.listening === "boolean" && METHODS.every((method) => typeof server[method] === "function");
}
