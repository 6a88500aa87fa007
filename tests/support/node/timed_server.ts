/**
 * Limited servers with deadlines, and clients that meet them, on every runtime.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import type * as http from "node:http";
import type * as net from "node:net";
import { assert, assertEquals } from "@std/assert";
import type { TimeoutKind } from "@connlimit/connlimit";
import type { LimitServerOptions } from "@connlimit/connlimit/node";
import { type Client, eventually, reply } from "../net.ts";
import { isBun } from "../platform.ts";
import { Relay, toPort } from "../relay.ts";
import { Limited } from "./limited_server.ts";
import { connectTo, ignore, type Kind, KINDS, type Server } from "./server_kinds.ts";

/** What the tests wait for a deadline, in milliseconds. */
export const T = 250;

/** Bun does not show what clients of its `http` and `https` servers send, nor those that stall before it. */
export const HIDDEN: readonly string[] = isBun ? ["http", "https"] : [];

/** A limited server that notes which deadlines have been met. */
export class Timed implements AsyncDisposable {
  readonly limited: Limited;
  /** The deadlines that have been met, and the addresses of those who met them. */
  readonly met: [TimeoutKind, string | undefined][];
  readonly kind: Kind;

  private constructor(limited: Limited, kind: Kind, met: Timed["met"]) {
    this.limited = limited;
    this.kind = kind;
    this.met = met;
  }

  static async listen(
    name: string,
    options: LimitServerOptions<net.Socket>,
    server: Server = KINDS[name]!.create(),
  ): Promise<Timed> {
    const met: Timed["met"] = [];
    const limited = await Limited.listen(server, {
      options: { ...options, onTimeout: ({ kind }, { remoteAddress }) => met.push([kind, remoteAddress]) },
    });
    return new Timed(limited, KINDS[name]!, met);
  }

  get port(): number {
    return this.limited.port;
  }

  /** A client, with TLS up to the end of the handshake. */
  async connect(): Promise<Client> {
    return await connectTo(this.kind, this.port);
  }

  /** Waits until a client that has been admitted is closed at a deadline. */
  async cut(timeout: TimeoutKind, since: number, about: string, least: number = T): Promise<void> {
    const { limiter } = this.limited;
    await eventually(() => limiter.stats().admitted === 1, `${about}: the client to be admitted`);
    await eventually(() => limiter.open === 0, `${about}: the slot to be free`);
    const took = performance.now() - since;
    assert(took >= least - 2, `${about}: closed after ${took} ms`);
    const none = { firstByte: 0, idle: 0, maxAge: 0 };
    assertEquals([about, limiter.stats().timedOut], [about, { ...none, [timeout]: 1 }]);
    assertEquals([about, this.met], [about, [[timeout, "127.0.0.1"]]]);
  }

  /** Fails if a client is not open any more. */
  kept(client: Client, about: string): void {
    assertEquals([about, this.met, this.limited.limiter.open, client.socket.closed], [about, [], 1, false]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.limited[Symbol.asyncDispose]();
  }
}

/** How many connections the kernel has of a port, of which nobody has a descriptor, and whose clients take no more. Linux. */
export function leftInKernel(port: number): number {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const lines = readFileSync("/proc/net/tcp", "utf8").split("\n").map((line) => line.trim().split(/\s+/));
  return lines.filter(([, from, , state]) => from?.endsWith(local) && state === "04").length;
}

/** Writes to a socket for as long as it takes what is written. */
export function flood(socket: net.Socket): void {
  socket.on("error", ignore);
  const write = () => {
    while (socket.writable && socket.write(new Uint8Array(16_384)));
  };
  socket.on("drain", write);
  write();
}

/** Makes a tunnel of a connection to a server of HTTP. */
export async function upgrade(client: Client): Promise<Client> {
  const head = ["GET / HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: any", "", ""].join("\r\n");
  assert((await reply(client, head)).startsWith("HTTP/1.1 101 "));
  return client;
}

/** A client that has upgraded and reads nothing more. */
export async function comeToFlood(timed: Timed): Promise<Relay> {
  const relay = await Relay.to(toPort(timed.port));
  const client = await connectTo(timed.kind, relay.port);
  client.socket.resume();
  await upgrade(client);
  relay.stop();
  return relay;
}

/** A server whose upgraded sockets are given to `use`. */
export function upgrading<S extends Server>(server: S, use: (socket: net.Socket) => void): S {
  server.on("upgrade", (_request: http.IncomingMessage, socket: net.Socket) => {
    socket.on("error", ignore);
    socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n");
    use(socket);
  });
  return server;
}
