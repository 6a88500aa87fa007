/**
 * A limited server of the runtime that the tests run on, with its clients.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter, type LimitsOptions } from "@connlimit/connlimit";
import { limitRequests, type LimitRequestsOptions } from "@connlimit/connlimit/http";
import { eventually, within } from "../net.ts";
import { CLIENT_ADDRESS } from "../platform.ts";
import { HttpClient } from "../../../testing/http_client.ts";
import { type Handler, serve } from "./serve.ts";

/** How a server is set up. */
export interface Setup {
  readonly limits?: Limiter | LimitsOptions;
  readonly options?: LimitRequestsOptions;
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
