/**
 * Servers with deadlines, and clients that meet them, on every adapter and runtime.
 *
 * @module
 */

import { connect, type Socket } from "node:net";
import { assert, assertEquals } from "@std/assert";
import type { ClientFinder, DeadlineOptions, ErrorHook, Limiter, Timeout, TimeoutKind } from "@connlimit/connlimit";
import { type Client, connected, eventually } from "./net.ts";
import { Relay } from "./relay.ts";

/** What a server does with each client: it sends back what comes, writes without end, or a byte from time to time. */
export type Task = "echo" | "flood" | "push";

/** The options of every adapter. */
export type Options = DeadlineOptions<never> & { readonly onError?: ErrorHook; readonly client?: ClientFinder };

/** A server, which admits everybody. In the end it stops, with whatever it has open. */
export interface Server extends AsyncDisposable {
  readonly limiter: Limiter;
  /** Makes a connection that is nothing but that yet, with TLS too. */
  readonly connect: (localAddress?: string) => Socket;
  /** Stops as its users would, within so many milliseconds. */
  stop(timeout: number): Promise<unknown>;
}

/** An adapter. */
export interface Adapter {
  readonly name: string;
  readonly serve: (options: Options, task: Task) => Server | Promise<Server>;
  /** Makes a client of a connection, with TLS up to the end of the handshake. By default, without TLS. */
  readonly secure?: (socket: Socket) => Promise<Client>;
  /** Whether its clients have no addresses. */
  readonly nameless?: boolean;
  /** Whether nothing closes the descriptor of a client that does not finish its handshake, or does not read. */
  readonly keepsTls?: boolean;
}

/** The milliseconds of most deadlines. */
export const T = 150;

/** The milliseconds between two bytes of a server that has the task to push. */
export const PUSH_MS: number = T / 2;

/** What a server has been told, and the client. */
export class Trial implements AsyncDisposable {
  readonly adapter: Adapter;
  readonly server: Server;
  /** The deadlines that were met. */
  readonly met: TimeoutKind[] = [];
  readonly errors: unknown[] = [];
  readonly #clients: Disposable[] = [];

  private constructor(adapter: Adapter, server: Server) {
    this.adapter = adapter;
    this.server = server;
  }

  static async serve(adapter: Adapter, options: Options, task: Task = "echo"): Promise<Trial> {
    const told: Pick<Trial, "met" | "errors"> = { met: [], errors: [] };
    const { onTimeout } = options;
    const server = await adapter.serve({
      onError: (error) => told.errors.push(error),
      ...options,
      onTimeout: (timeout: Timeout, conn: never) => {
        told.met.push(timeout.kind);
        return onTimeout?.(timeout, conn);
      },
    }, task);
    return Object.assign(new Trial(adapter, server), told);
  }

  /** Connects, with TLS up to the end of the handshake. */
  async connect(): Promise<Client> {
    const { secure = connected } = this.adapter;
    return this.#keep(await secure(this.server.connect()));
  }

  /** Connects without TLS. */
  async connectPlain(): Promise<Client> {
    return this.#keep(await connected(this.server.connect()));
  }

  /** Connects by a relay, which can stop to take what the server sends. */
  async connectByRelay(): Promise<Relay> {
    const relay = this.#keep(await Relay.to(this.server.connect));
    const { secure = connected } = this.adapter;
    const client = this.#keep(await secure(connect(relay.port, "127.0.0.1")));
    client.socket.resume();
    client.socket.write("a");
    return relay;
  }

  #keep<D extends Disposable>(client: D): D {
    this.#clients.push(client);
    return client;
  }

  /** Waits until a client that has been admitted is closed at a deadline, which has begun at a time. */
  async cut(kind: TimeoutKind, since: number, time: number = T): Promise<void> {
    const { limiter } = this.server;
    await eventually(() => limiter.stats().timedOut[kind] === 1, `${this.adapter.name}: the deadline`);
    const took = performance.now() - since;
    assert(took >= time - 2, `closed after ${took} ms`);
    await eventually(() => limiter.open === 0, `${this.adapter.name}: the slot to be free`);
    assertEquals(limiter.stats().timedOut, { firstByte: 0, idle: 0, maxAge: 0, [kind]: 1 });
    assertEquals([this.met, this.errors], [[kind], []]);
  }

  /** Fails if a client is not open any more. */
  kept(): void {
    assertEquals([this.met, this.errors, this.server.limiter.open], [[], [], 1]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client[Symbol.dispose]();
    await eventually(() => this.server.limiter.open === 0, `${this.adapter.name}: no slot to be held`);
    await this.server[Symbol.asyncDispose]();
  }
}

/** Sends a byte, and then one after each period. */
export function dribble({ socket }: Client, period: number): void {
  socket.resume();
  socket.write("a");
  const timer = setInterval(() => socket.write("a"), period);
  socket.on("close", () => clearInterval(timer));
}

/** Lets some time pass, in which nothing is to happen. */
export const pass = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
