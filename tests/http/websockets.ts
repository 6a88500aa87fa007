/**
 * WebSockets whose clients are raw sockets, for tests.
 *
 * @module
 */

import { assertStrictEquals } from "@std/assert";
import { eventually } from "../support/net.ts";
import type { HttpClient } from "./client.ts";
import { Served, type ServerSocket, type Setup, upgrade } from "./serve.ts";

/** What asks for an upgrade. */
export const HEADERS: string[] = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version: 13",
];

/** Frames as a client sends them, masked with zeros. */
export const CLOSE: Uint8Array = new Uint8Array([0x88, 0x80, 0, 0, 0, 0]);
export const HELLO: Uint8Array = new Uint8Array([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]);
export const GARBAGE: Uint8Array = new Uint8Array(20).fill(0xff);

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
