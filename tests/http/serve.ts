/**
 * A limited server of the runtime that the tests run on: `Deno.serve` or `Bun.serve`.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter, type LimitsOptions } from "@connlimit/connlimit";
import { limitRequests, type RequestsOptions, upgradeWebSocket } from "@connlimit/connlimit/http";
import { eventually, within } from "../support/net.ts";
import { CLIENT_ADDRESS, isBun } from "../support/platform.ts";
import { HttpClient } from "../../testing/http_client.ts";

/** A fetch handler; Bun allows it to answer nothing for a request that has been upgraded. */
// deno-lint-ignore no-explicit-any
export type Handler = (request: Request, info: any) => Response | Promise<Response> | undefined;

/** A WebSocket on the server's side, as both runtimes have it. */
export interface ServerSocket {
  send(text: string): unknown;
  close(code?: number, reason?: string): void;
  /** On Bun only. */
  terminate?(): void;
}

/** What of `Bun.serve()` is used. */
export interface BunServer {
  readonly port?: number;
  readonly pendingRequests: number;
  requestIP(request: Request): { address: string } | null;
  upgrade(request: Request, options?: { data?: unknown }): boolean;
  reload(options: object): void;
  stop(closeActive?: boolean): Promise<void>;
}

/** Bun, in the eyes of the tests that run on Deno too. */
export const Bun: { serve(options: object): BunServer; gc(synchronously: boolean): void; file(path: string): Blob } =
  (globalThis as unknown as { Bun: typeof Bun }).Bun;

/** How a server is set up. */
export interface Setup {
  readonly limits?: Limiter | LimitsOptions;
  readonly options?: RequestsOptions;
  readonly tls?: { cert: string; key: string };
  /** The path of a Unix socket. */
  readonly unix?: string;
  /** Where it listens, if not at 127.0.0.1. */
  readonly hostname?: string;
  /** More for `Bun.serve()`. */
  readonly bun?: object;
}

/** A server that listens. In the end it stops, and fails where a slot stays taken. */
export class Served implements AsyncDisposable {
  readonly limiter: Limiter;
  readonly port: number;
  /** How often the handler has been called. */
  calls = 0;
  readonly #clients: HttpClient[] = [];
  readonly #stop: (now: boolean) => Promise<void>;

  constructor(handler: Handler, setup: Setup = {}) {
    const { limits = { maxPerClient: 1 }, options } = setup;
    this.limiter = limits instanceof Limiter ? limits : new Limiter(limits);
    const counted: Handler = (request, info) => {
      if (request.url.endsWith("/free")) return new Response("free\n");
      this.calls++;
      return handler(request, info);
    };
    const { port, stop } = serve(limitRequests(this.limiter, counted, options) as Handler, setup);
    this.port = port;
    this.#stop = stop;
  }

  /** A client, from an address of choice, which is closed in the end. */
  async connect(address: string = CLIENT_ADDRESS): Promise<HttpClient> {
    const client = await HttpClient.connect(this.port, address);
    this.#clients.push(client);
    return client;
  }

  /** A client that has sent a request. */
  async ask(request: string, address?: string, ...headers: string[]): Promise<HttpClient> {
    const client = await this.connect(address);
    client.send(request, ...headers);
    return client;
  }

  /** The status of the answer to a request of its own connection. */
  async status(request: string, address?: string): Promise<number> {
    using client = await this.connect(address);
    client.send(request, "Connection: close");
    return (await client.answer()).status;
  }

  /** Waits until so many requests, by default one, hold slots. */
  async held(count = 1): Promise<void> {
    await eventually(() => this.limiter.open === count, `${count} to be open, not ${this.limiter.open}`);
  }

  /** Waits until no slot is taken, which a client of the address is the first to see. */
  async freed(after = "the end", address?: string): Promise<void> {
    await eventually(async () => await this.status("GET /free", address) === 200, `a slot to be free after ${after}`);
    await this.empty(after);
  }

  /** Waits until no slot is taken. */
  async empty(after = "the end"): Promise<void> {
    await eventually(() => this.limiter.open === 0, `every slot to be free after ${after}`);
    assertEquals([...this.limiter.clients()], []);
  }

  /** Stops to listen, and waits for what is in flight, or does not. */
  async stop(now = false): Promise<void> {
    await this.#stop(now);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client[Symbol.dispose]();
    await this.empty();
    await within(this.#stop(true), "the server to stop");
    assertStrictEquals(this.limiter.open, 0);
  }
}

/** Serves with the runtime's own server. */
export function serve(
  fetch: Handler,
  { tls = undefined, unix = undefined, hostname = "127.0.0.1", bun = {} }: Setup = {},
): { port: number; stop(now: boolean): Promise<void> } {
  const error = () => new Response("an error\n", { status: 500 });
  const where = unix === undefined ? { port: 0, hostname } : undefined;
  if (isBun) {
    const server = Bun.serve({
      ...where ?? { unix },
      ...tls && { tls },
      development: false,
      idleTimeout: 60,
      fetch,
      error,
      websocket: {
        open: (socket: ServerSocket & { data?: (socket: ServerSocket) => void }) => socket.data?.(socket),
        message: (socket: ServerSocket, text: string) => void socket.send(text),
      },
      ...bun,
    });
    return { port: server.port ?? 0, stop: (now) => server.stop(now) };
  }
  const abort = new AbortController();
  const options = { onListen() {}, onError: error, signal: abort.signal };
  const server: Deno.HttpServer<Deno.Addr> = where === undefined
    ? Deno.serve({ path: unix!, ...options }, fetch as Deno.ServeHandler<Deno.UnixAddr>)
    : Deno.serve({ ...where, ...tls, ...options }, fetch as Deno.ServeHandler);
  return {
    port: (server.addr as Deno.NetAddr).port,
    async stop(now) {
      if (now) abort.abort();
      await (now ? server.finished : server.shutdown());
    },
  };
}

/** What the body of a response that goes on is written to. */
export type Body = ReadableStreamDefaultController<Uint8Array>;

/** A response that has begun, with the word `first`, and goes on until somebody ends it. */
export function unending(begun: (body: Body) => void = () => {}): Response {
  return new Response(
    new ReadableStream({
      start(body) {
        body.enqueue(new TextEncoder().encode("first"));
        begun(body);
      },
    }),
  );
}

/** Makes a WebSocket of a request, which echoes. */
export function upgrade(request: Request, info: unknown, opened: (socket: ServerSocket) => void = () => {}): Response {
  if (isBun) {
    if ((info as BunServer).upgrade(request, { data: opened })) return undefined as unknown as Response;
    return new Response("no WebSocket\n", { status: 400 });
  }
  const { socket, response } = upgradeWebSocket(request);
  socket.onopen = () => opened(socket);
  socket.onmessage = ({ data }) => socket.send(data);
  socket.onerror = () => {};
  return response;
}
