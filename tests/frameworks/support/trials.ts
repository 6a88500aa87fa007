/**
 * What clients find at a server that admits two connections, requests or WebSockets of each.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { io } from "socket.io-client";
import { WebSocket } from "ws";
import { HttpClient } from "../../../testing/http_client.ts";
import { type Client, connectFrom, reply, within } from "../../support/net.ts";
import type { Hosted } from "./page.ts";

/** A server that is tried. */
export interface Tried extends Pick<Hosted, "open" | "go"> {
  readonly port: number;
  readonly code: string;
}

/** Tries a server, which must have no slot held then. */
export type Trial = (tried: Tried) => Promise<void>;

/** Sends a request. Resolves to the status, or to 0 where the connection is closed without an answer. */
async function ask(client: Client, path = "/", ...headers: string[]): Promise<number> {
  const text = await reply(client, [`GET ${path} HTTP/1.1`, "Host: localhost", ...headers, "", ""].join("\r\n"));
  return text === "" ? 0 : Number(/^HTTP\/1.1 (\d+) /.exec(text)![1]);
}

/** Tries a server of HTTP that limits connections. */
export const connections = (path = "/"): Trial => async ({ port, code, open }) => {
  const refused = code.includes("tooManyConnections") ? 429 : 0;
  // Twice, since the slots must come back.
  for (const leave of ["fin", "reset"] as const) {
    const clients = [await connectFrom("127.0.0.2", port), await connectFrom("127.0.0.2", port)];
    for (const client of clients) {
      assertEquals([await ask(client, path), await ask(client, path)], [200, 200]);
    }
    await open(2);
    using third = await connectFrom("127.0.0.2", port);
    assertStrictEquals(await ask(third, path), refused);
    using other = await connectFrom("127.0.0.3", port);
    assertStrictEquals(await ask(other, path), 200);
    other.fin();
    for (const client of clients) client[leave]();
    await open(0);
    for (const client of clients) client[Symbol.dispose]();
  }
};

/** Tries a server that limits requests: by the address that they come from, or by what a proxy says. */
const limitedRequests =
  (from: (client: string) => readonly [address: string, ...headers: string[]]): Trial => async ({ port, open, go }) => {
    const send = async (client: string, path: string) => {
      const [address, ...headers] = from(client);
      const connection = await HttpClient.connect(port, address);
      connection.send(`GET ${path}`, ...headers);
      return connection;
    };
    const status = async (client: string) => {
      using connection = await send(client, "/");
      return (await connection.answer()).status;
    };
    assertStrictEquals(await status("one"), 200);
    await open(0);
    const holders = [await send("one", "/wait"), await send("one", "/wait")];
    await open(2);
    assertEquals([await status("one"), await status("other")], [429, 200]);
    await go();
    for (const holder of holders) assertStrictEquals((await holder.answer()).status, 200);
    await open(0);
    for (const holder of holders) holder[Symbol.dispose]();
    assertStrictEquals(await status("one"), 200);
    await open(0);
  };

/** Tries a server that limits the requests of each address. */
export const requests: Trial = limitedRequests((client) => [client === "one" ? "127.0.0.2" : "127.0.0.3"]);

/** Tries a server that limits the requests of each account. */
export const byAccount: Trial = limitedRequests((client) => ["127.0.0.2", `Authorization: ${client}`]);

/** Tries a server that limits the requests of the clients that a proxy names. */
export const proxied: Trial = async (tried) => {
  const address = (client: string) => client === "one" ? "203.0.113.1" : "203.0.113.2";
  await limitedRequests((client) => ["127.0.0.1", `X-Forwarded-For: 198.51.100.9, ${address(client)}`])(tried);
  using stranger = await connectFrom("127.0.0.2", tried.port);
  assertStrictEquals(await ask(stranger, "/", "X-Forwarded-For: 203.0.113.1"), 403);
};

/** Tries a server that limits WebSockets, which echo. */
export const webSockets = (options: {
  path?: string;
  headers?: Record<string, string>;
  address?: string;
  words?: string;
} = {}): Trial =>
async ({ port, open }) => {
  const { path = "/ws", headers = {}, address = "127.0.0.2", words = "hello" } = options;
  const connect = async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { localAddress: address, headers });
    const opened = new Promise<boolean>((resolve) => {
      socket.on("open", () => resolve(true));
      socket.on("error", () => resolve(false));
    });
    return [socket, await within(opened, "the WebSocket to open")] as const;
  };
  for (const leave of ["close", "terminate"] as const) {
    const sockets: WebSocket[] = [];
    for (let i = 0; i < 2; i++) {
      const [socket, opened] = await connect();
      assert(opened);
      sockets.push(socket);
      const heard = new Promise((resolve) => socket.on("message", (data) => resolve(`${data}`)));
      socket.send(words);
      assertStrictEquals(await within(heard, "the echo"), words);
    }
    await open(2);
    assertStrictEquals((await connect())[1], false);
    for (const socket of sockets) socket[leave]();
    await open(0);
  }
};

/** Tries a server of socket.io by its own client, which goes by WebSocket. */
export const socketIo = (extraHeaders: Record<string, string> = {}): Trial => async ({ port, open }) => {
  const connect = async () => {
    const socket = io(`http://127.0.0.1:${port}`, {
      transports: ["websocket"],
      reconnection: false,
      forceNew: true,
      extraHeaders,
    });
    const connected = new Promise<boolean>((resolve) => {
      socket.on("connect", () => resolve(true));
      socket.on("connect_error", () => resolve(false));
    });
    return [socket, await within(connected, "socket.io to connect")] as const;
  };
  const sockets = [];
  for (let i = 0; i < 2; i++) {
    const [socket, connected] = await connect();
    assert(connected);
    sockets.push(socket);
    const heard = new Promise((resolve) => socket.on("echo", resolve));
    socket.emit("echo", "hello");
    assertStrictEquals(await within(heard, "the echo"), "hello");
  }
  await open(2);
  const [refused, connected] = await connect();
  assertStrictEquals(connected, false);
  refused.close();
  for (const socket of sockets) socket.close();
  await open(0);
};
