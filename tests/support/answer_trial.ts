/**
 * Servers that answer those whom they refuse, and their clients, on every adapter.
 *
 * @module
 */

import type { AnswerHooks, Limiter, LimitsOptions } from "@connlimit/connlimit";
import { type Client, connectFrom, ended, eventually, openSockets, within } from "./net.ts";
import { hiddenSockets } from "./platform.ts";

/** A server. In the end it stops, with whatever it has open. */
export interface Server extends AsyncDisposable {
  readonly port: number;
  readonly limiter: Limiter;
  /** What its handlers have been called with by clients that are refused: nothing, where all is well. */
  readonly called?: readonly string[];
  /** Stops as its users would, within so many milliseconds. Resolves to how many connections it had to close. */
  stop(timeout?: number): Promise<number>;
}

/** An adapter. */
export interface Adapter {
  readonly serve: (limits: LimitsOptions, options: AnswerHooks<never>) => Server | Promise<Server>;
  /** Connects, by default over TCP from 127.0.0.1. */
  readonly connect?: (port: number) => Promise<Client>;
  /** What a client must say to be heard, where it must. */
  readonly words?: string;
  /** Whether it cannot write to a client that has ended its side. */
  readonly blind?: boolean;
  /** Whether nothing tells it how much a refused client sends. */
  readonly countless?: boolean;
}

/** A deadline that no test waits for. */
export const LONG: number = 2 ** 31 - 1;

/** What is answered where it does not matter what. */
export const BUSY = "421 4.7.0 too many connections\r\n";

/** A server that refuses everybody, and what has happened there. */
export class Trial implements AsyncDisposable {
  readonly events: unknown[] = [];
  readonly #adapter: Adapter;
  readonly #clients: Client[] = [];
  readonly #before = openSockets();
  #server: Server | undefined;

  private constructor(adapter: Adapter) {
    this.#adapter = adapter;
  }

  /** Serves with an answer. Errors are noted; other hooks may be given. */
  static async serve(
    adapter: Adapter,
    answer: NonNullable<AnswerHooks<never>["answer"]>,
    hooks: AnswerHooks<never> = {},
    limits: LimitsOptions = { maxPerClient: 0 },
  ): Promise<Trial> {
    const trial = new Trial(adapter);
    const onError = (error: unknown) => void trial.events.push((error as Error).message ?? error);
    trial.#server = await adapter.serve(limits, { answer, onError, ...hooks });
    return trial;
  }

  get server(): Server {
    return this.#server!;
  }

  /** Connects. The client reads nothing until it is asked for what it has got. */
  async connect(): Promise<Client> {
    const { connect = (port: number) => connectFrom("127.0.0.1", port) } = this.#adapter;
    const client = await connect(this.server.port);
    this.#clients.push(client);
    client.socket.pause();
    return client;
  }

  /** Connects and sends something, all of it before anything is read. Resolves to what has come until the end. */
  async visit(words: string | Uint8Array = this.#adapter.words ?? ""): Promise<string> {
    const client = await this.connect();
    await sent(client, words);
    return await rest(client);
  }

  /** Waits for so many refusals. */
  async refused(count: number): Promise<void> {
    await eventually(() => this.server.limiter.stats().refused >= count, `${count} refusals`);
  }

  /** Waits until the server has closed every connection, or all but some. */
  async closedAll(butFor = 0): Promise<void> {
    // It listens, and the clients have their own sides.
    const others = this.#clients.filter(({ socket }) => !socket.destroyed).length + 1;
    if (hiddenSockets) return;
    await eventually(
      () => openSockets() <= this.#before + others + butFor,
      "every connection to be closed by the server",
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    for (const client of this.#clients) client[Symbol.dispose]();
    await eventually(() => openSockets() <= this.#before, "every socket to be closed");
  }
}

/** Sends something, and waits until the system has taken all of it, or the connection has ended. */
export async function sent({ socket }: Client, words: string | Uint8Array): Promise<void> {
  if (words.length === 0 || socket.destroyed) return;
  await within(
    new Promise<void>((resolve) => {
      socket.once("close", () => resolve());
      socket.write(words, () => resolve());
    }),
    "all to be sent",
  );
}

/** Reads until the end. */
export function rest(client: Client): Promise<string> {
  const text = ended(client);
  client.socket.resume();
  return text;
}
