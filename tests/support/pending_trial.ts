/**
 * A test of connections whose admission takes time, on one adapter.
 *
 * @module
 */

import { connect as connectTls } from "node:tls";
import { assertEquals, assertStrictEquals } from "@std/assert";
import type { Admitter, Limiter, RefusalHooks } from "@connlimit/connlimit";
import type { PendingOptions } from "../../src/admission/pending_conns.ts";
import { type ClientResolver, PendingStage } from "../../src/admission/pending_stage.ts";
import { type Client, connectFrom, ended, eventually } from "./net.ts";
import { SlowAdmitter } from "./slow_admitter.ts";

/** A server with a limiter that takes its time. It stops in the end, with whatever it has open. */
export interface Server extends AsyncDisposable {
  readonly port: number;
  /** The ports of the clients that its handlers have met, in their order. */
  readonly served: readonly number[];
  /** Stops as its users would, which must not wait for what is pending; absent where it cannot. */
  stop?(): Promise<unknown>;
}

/** What a server is made with. */
export interface Setup {
  readonly admitter: Admitter & { readonly local: Limiter };
  readonly hooks: RefusalHooks<never>;
  /** What it is given in place of the stage that the library makes, for other bounds. */
  readonly stage?: PendingStage<never>;
}

/** An adapter. */
export interface Adapter {
  readonly serve: (setup: Setup) => Server | Promise<Server>;
  /** What a client says first, and what is in the answer. */
  readonly words: string;
  readonly answer: string;
  readonly tls?: boolean;
  /** Whether it stops accepting where too many are pending, so that the others wait in the backlog. */
  readonly backlog?: boolean;
  /** Whether it does not see that a client leaves which is pending. */
  readonly blind?: boolean;
  /** Whether it hears of a client that says nothing. */
  readonly hearsSilent?: boolean;
  /** Whether it hears of a client only after the TLS handshake. Clients then leave before any deadline has passed. */
  readonly hearsLate?: boolean;
  /** What a refused client gets, where that is an answer. */
  readonly refusal?: string;
}

/** A client that has said its words already, and reads. */
export class Visitor implements Disposable {
  text = "";
  readonly localPort: number;
  readonly #tcp: Client;
  readonly #client: Client;

  constructor(tcp: Client, { tls = false }: Adapter, words: string) {
    this.#tcp = tcp;
    this.localPort = tcp.socket.localPort!;
    this.#client = tcp;
    if (tls && words !== "") {
      const socket = connectTls({ socket: tcp.socket, rejectUnauthorized: false });
      socket.on("error", () => {});
      this.#client = { ...tcp, socket };
    }
    this.#client.socket.on("data", (chunk) => this.text += chunk);
    if (words !== "") this.#client.socket.write(words);
  }

  async answered(answer: string): Promise<void> {
    await eventually(() => this.text.toLowerCase().includes(answer), `"${answer}"`);
  }

  /** Waits for the end of the connection. Resolves to all that has come. */
  async ended(): Promise<string> {
    await ended(this.#tcp);
    return this.text;
  }

  reset(): void {
    this.#tcp.reset();
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
    this.#tcp[Symbol.dispose]();
  }
}

/** A test of one adapter. */
export class Trial implements AsyncDisposable {
  readonly admitter: SlowAdmitter = new SlowAdmitter({ maxPerClient: 2 });
  readonly refused: string[] = [];
  readonly errors: unknown[] = [];
  readonly #adapter: Adapter;
  readonly #visitors: Visitor[] = [];
  #server: Server | undefined;

  constructor(adapter: Adapter) {
    this.#adapter = adapter;
  }

  get server(): Server {
    return this.#server!;
  }

  async serve(options?: PendingOptions, resolve?: ClientResolver<never>): Promise<this> {
    const hooks = {
      onRefused: ({ reason }: { readonly reason: string }) => void this.refused.push(reason),
      onError: (error: unknown) => void this.errors.push(error),
    };
    const own = options ?? resolve;
    const stage = own && { stage: new PendingStage(options, resolve) };
    this.#server = await this.#adapter.serve({ admitter: this.admitter, hooks, ...stage });
    return this;
  }

  async visit(words: string = this.#adapter.words): Promise<Visitor> {
    const visitor = new Visitor(await connectFrom("127.0.0.1", this.server.port), this.#adapter, words);
    this.#visitors.push(visitor);
    return visitor;
  }

  /** The same, and waits until the limiter has been asked. */
  async visitAndAsk(words?: string): Promise<Visitor> {
    const before = this.admitter.questions.length;
    const visitor = await this.visit(words);
    await this.admitter.asked(before + 1);
    return visitor;
  }

  async answered(visitor: Visitor): Promise<void> {
    await visitor.answered(this.#adapter.answer);
  }

  /** Waits for a refusal. */
  async turnedAway(visitor: Visitor, reason: string): Promise<void> {
    const { refusal = "" } = this.#adapter;
    if (refusal === "") assertStrictEquals(await visitor.ended(), "");
    else await visitor.answered(refusal);
    assertEquals(this.refused.splice(0), [reason]);
    assertStrictEquals(this.admitter.limiter.stats().refusedBy[reason as "client"], 1);
  }

  /** Nothing is pending and no slot is taken once all clients have left. */
  async empty(): Promise<void> {
    for (const visitor of this.#visitors) visitor[Symbol.dispose]();
    await eventually(() => this.admitter.limiter.open === 0, "every slot to be free");
    await this.admitter.waiting(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const visitor of this.#visitors) visitor[Symbol.dispose]();
    await this.#server?.[Symbol.asyncDispose]();
    await eventually(() => this.admitter.limiter.open === 0, "every slot to be free");
  }
}
