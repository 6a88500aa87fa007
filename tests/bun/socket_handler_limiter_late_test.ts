/**
 * What handlers of Bun's listeners hear of a connection that was pending.
 *
 * @module
 */

import { once } from "node:events";
import { test } from "node:test";
import { connect } from "node:tls";
import { assertEquals } from "@std/assert";
import { PendingStage } from "../../src/admission/pending_stage.ts";
import type { SocketHandlers } from "../../src/bun/native.ts";
import { SocketHandlerLimiter } from "../../src/bun/socket_handler_limiter.ts";
import { aWhile, certificate, type Client, connectFrom, ended, eventually } from "../support/net.ts";
import { SlowAdmitter } from "../support/slow_admitter.ts";

type Behaviour = (socket: Bun.Socket) => unknown;

/** A listener that writes down what its handlers are called for. */
class Trial implements AsyncDisposable {
  readonly admitter = new SlowAdmitter();
  readonly events: string[] = [];
  readonly #handlers: SocketHandlers;
  readonly #limiter = new SocketHandlerLimiter(this.admitter, {}, new PendingStage<never>() as never);
  readonly #opened: Disposable[] = [];

  /** @param around Puts something between the limiter and the handlers. */
  constructor(
    names: string,
    behaviour: Record<string, Behaviour> = {},
    around = (handlers: SocketHandlers) => handlers,
  ) {
    const handlers = names.split(" ").map((name) => [name, (socket: Bun.Socket, arg?: unknown) => {
      this.events.push(arg === undefined ? name : `${name} ${arg instanceof Error ? arg.message : arg}`);
      return behaviour[name]?.(socket);
    }]);
    this.#handlers = this.#limiter.wrap(around(Object.fromEntries(handlers)));
  }

  listen(tls: boolean): number {
    const where = { hostname: "127.0.0.1", port: 0, allowHalfOpen: true, ...tls && { tls: certificate() } };
    const listener = Bun.listen({ ...where, socket: this.#handlers as { data(): void } });
    this.#opened.push({ [Symbol.dispose]: () => listener.stop(true) });
    return listener.port;
  }

  async visit(port: number): Promise<Client> {
    const before = this.admitter.questions.length;
    const client = await connectFrom("127.0.0.1", port);
    this.#opened.push(client);
    await this.admitter.asked(before + 1);
    return client;
  }

  /** Connects a TLS client that says something. */
  async visitTls(port: number, end = false): Promise<Client> {
    const client = await this.visit(port);
    const socket = connect({ socket: client.socket, rejectUnauthorized: false });
    socket.on("error", () => {}).resume();
    if (end) socket.end("hello");
    else socket.write("hello");
    await once(socket, "secureConnect");
    // Time for its words to come before the decision.
    await aWhile();
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const opened of this.#opened) opened[Symbol.dispose]();
    await eventually(() => this.admitter.limiter.open === 0 && this.admitter.pending === 0, "everything to be free");
  }
}

for (const names of ["open data end close", "open handshake data end close"]) {
  test(`limitSocketHandler() calls no handler for a pending TLS client, which ends its side (${names})`, async () => {
    await using trial = new Trial(names, { end: (socket) => socket.end("bye") });
    const client = await trial.visitTls(trial.listen(true), true);
    assertEquals(trial.events, []);
    trial.admitter.questions[0]!.decide();
    await ended(client);
    const handshake = names.includes("handshake") ? ["handshake true"] : [];
    assertEquals(trial.events, ["open", ...handshake, "data hello", "end", "close"]);
  });
}

test("limitSocketHandler() calls no handler but close for what open has closed", async () => {
  await using trial = new Trial("open data close", { open: (socket) => socket.terminate() });
  const client = await trial.visitTls(trial.listen(true));
  trial.admitter.questions[0]!.decide();
  await ended(client);
  assertEquals(trial.events, ["open", "close"]);
});

test("limitSocketHandler() calls no handler for what was pending and is refused by a limiter behind", async () => {
  const behind = new SocketHandlerLimiter(new SlowAdmitter({ maxPerClient: 0 }).limiter, {});
  await using trial = new Trial("open data close", {}, (handlers) => behind.wrap(handlers));
  const client = await trial.visitTls(trial.listen(true));
  trial.admitter.questions[0]!.decide();
  await ended(client);
  assertEquals(trial.events, []);
});

test("limitSocketHandler() calls the handler error where another one throws, as Bun does", async () => {
  const fail = () => {
    throw new Error("thrown");
  };
  await using first = new Trial("open data error close", { open: fail });
  await first.visit(first.listen(false));
  first.admitter.questions[0]!.decide();
  await eventually(() => first.events.length === 3, "the end");
  assertEquals(first.events, ["open", "error thrown", "close"]);
  await using second = new Trial("open data end error close", { data: fail, end: (socket) => socket.end() });
  const client = await second.visitTls(second.listen(true), true);
  second.admitter.questions[0]!.decide();
  await ended(client);
  assertEquals(second.events, ["open", "data hello", "error thrown", "end", "close"]);
});

test("limitSocketHandler() resets a TLS client that is refused late, also where the same handlers serve TCP", async () => {
  await using trial = new Trial("open data close");
  const secure = await trial.visit(trial.listen(true));
  const plain = await trial.visit(trial.listen(false));
  const ends: unknown[] = [];
  secure.socket.on("error", (error: Error & { code?: string }) => ends.push(error.code));
  plain.socket.on("error", (error: Error & { code?: string }) => ends.push(error.code));
  trial.admitter.limiter.setLimits({ maxPerClient: 0 });
  for (const question of trial.admitter.questions) question.decide();
  await Promise.all([ended(secure), ended(plain)]);
  assertEquals([ends, trial.events], [["ECONNRESET"], []]);
});
