/**
 * A server whose requests `limitServerRequests()` limits, on every runtime.
 *
 * @module
 */

import { once } from "node:events";
import * as http from "node:http";
import type * as net from "node:net";
import { assertEquals } from "@std/assert";
import type { Limiter, LimitsOptions } from "@connlimit/connlimit";
import {
  type LimitedServerRequests,
  limitServerRequests,
  type LimitServerRequestsOptions,
  type ServerLike,
} from "@connlimit/connlimit/node";
import { forwarded } from "@connlimit/connlimit/proxy";
import { eventually, within } from "../net.ts";

/** Finds clients behind the tests' own proxies. */
export const client: ReturnType<typeof forwarded> = forwarded({
  header: "x-forwarded-for",
  trusted: ["127.0.0.0/8", "::1"],
});

/** A response that its handler leaves open. */
export type OpenResponse = http.ServerResponse & { readonly req: http.IncomingMessage };

/** Any server of HTTP. */
export type HttpServer = Pick<net.Server, "close" | "listening" | "listen" | "address" | "on"> & ServerLike;

/** A limited server that listens. In the end it closes what is open, and fails where a slot stays taken. */
export class LimitedRequests<S extends HttpServer = http.Server> implements AsyncDisposable {
  readonly server: S;
  readonly handle: LimitedServerRequests;
  readonly #sockets = new Set<net.Socket>();

  private constructor(server: S, limits: Limiter | LimitsOptions, options: LimitServerRequestsOptions) {
    this.server = server;
    this.handle = limitServerRequests(server, limits, options);
    server.on("connection", (socket: net.Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  /** Limits a server and waits until it listens. */
  static async listen<S extends HttpServer>(
    server: S,
    limits: Limiter | LimitsOptions,
    options: LimitServerRequestsOptions = {},
    where: { path: string } | { port: number; host: string } = { port: 0, host: "127.0.0.1" },
  ): Promise<LimitedRequests<S>> {
    const limited = new LimitedRequests(server, limits, options);
    server.listen(where);
    await once(server as never, "listening");
    return limited;
  }

  get limiter(): Limiter {
    return this.handle.limiter;
  }

  get port(): number {
    return (this.server.address() as net.AddressInfo).port;
  }

  /** The sockets of the open connections. */
  get sockets(): net.Socket[] {
    return [...this.#sockets];
  }

  /** Waits until so many requests are in flight. */
  async holds(open: number): Promise<void> {
    await eventually(() => this.limiter.open === open, `${open} requests in flight, of ${this.limiter.open}`);
  }

  /** Waits until so many requests have been admitted and so many refused, since the start. */
  async answered(admitted: number, refused: number): Promise<void> {
    const counts = () => [this.limiter.stats().admitted, this.limiter.stats().refused];
    await eventually(() => counts()[0]! >= admitted && counts()[1]! >= refused, `${admitted}, ${refused} answered`);
    assertEquals(counts(), [admitted, refused]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.server.listening ? once(this.server as never, "close") : undefined;
    if (closed !== undefined) this.server.close();
    for (const socket of this.#sockets) socket.destroy();
    if (closed !== undefined) await within(closed, "the server to be closed");
    await this.holds(0);
  }
}

/** A server of HTTP/1 that answers at once, but for the path `/wait`, whose responses it leaves open. */
export function answering(): { server: http.Server; waiting: OpenResponse[] } {
  const waiting: OpenResponse[] = [];
  const server = http.createServer((request, response) => {
    if (request.url === "/wait") waiting.push(response as OpenResponse);
    else response.end("an answer");
  });
  return { server, waiting };
}
