/**
 * WebSockets whose clients are raw sockets, for tests.
 *
 * @module
 */

import { assertStrictEquals } from "@std/assert";
import { HEADERS } from "../../../testing/frames.ts";
import { eventually } from "../net.ts";
import type { HttpClient } from "../../../testing/http_client.ts";
import { upgrade } from "./responses.ts";
import type { ServerSocket } from "./serve.ts";
import { Served, type Setup } from "./served.ts";

export { CLOSE, GARBAGE, HEADERS, HELLO } from "../../../testing/frames.ts";

/** A WebSocket from both sides. */
export interface Pair {
  readonly client: HttpClient;
  readonly socket: ServerSocket;
}

/** A server of WebSockets, and of nothing else. */
export function serveSockets(
  setup: Setup = {},
  before: () => unknown = () => undefined,
): Served & { sockets: ServerSocket[] } {
  const sockets: ServerSocket[] = [];
  const open = (socket: ServerSocket) => void sockets.push(socket);
  const server = new Served((request, info) => {
    const wait = before();
    if (wait instanceof Promise) return wait.then(() => upgrade(request, info, open));
    return upgrade(request, info, open);
  }, setup);
  return Object.assign(server, { sockets });
}

export async function open(server: Served & { sockets: ServerSocket[] }): Promise<Pair> {
  const client = await server.connect();
  client.send("GET /", ...HEADERS);
  assertStrictEquals((await client.head()).status, 101);
  await eventually(() => server.sockets.length > 0, "the WebSocket to open");
  return { client, socket: server.sockets.shift()! };
}
