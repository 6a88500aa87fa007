/**
 * What holds of connections whose admission takes time, on every adapter and runtime.
 *
 * @module
 */

import { connect as connectTls } from "node:tls";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { RefusalHooks } from "@connlimit/connlimit";
import type { PendingOptions } from "../../src/admission/pending_conns.ts";
import { type ClientResolver, PendingStage } from "../../src/admission/pending_stage.ts";
import { aWhile, type Client, connectFrom, ended, eventually, within } from "./net.ts";
import { type Deferred, SlowAdmitter, withResolvers } from "./slow_admitter.ts";

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
  readonly admitter: SlowAdmitter;
  readonly hooks: RefusalHooks<never>;
  readonly stage: PendingStage<never>;
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
  /** What a refused client gets, where that is an answer. */
  readonly refusal?: string;
}

/** A client that has said its words already, and reads. */
class Visitor implements Disposable {
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
class Trial implements AsyncDisposable {
  readonly admitter = new SlowAdmitter({ maxPerClient: 2 });
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
    const stage = new PendingStage(options, resolve);
    this.#server = await this.#adapter.serve({ admitter: this.admitter, hooks, stage });
    return this;
  }

  async visit(words = this.#adapter.words): Promise<Visitor> {
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

type Rule = (adapter: Adapter) => Promise<void>;

/** The rules, by what they say. */
export const RULES: Readonly<Record<string, Rule>> = {
  "serves connections in the order in which they are admitted, and loses no byte": async (adapter) => {
    await using trial = await new Trial(adapter).serve();
    const { admitter, server } = trial;
    const visitors: Visitor[] = [];
    admitter.limiter.setLimits({ maxPerClient: 3 });
    for (let i = 0; i < 3; i++) visitors.push(await trial.visitAndAsk());
    await admitter.waiting(3);
    await aWhile();
    assertEquals([server.served, admitter.limiter.open], [[], 0]);
    for (const at of [2, 0, 1]) {
      admitter.questions[at]!.decide();
      await trial.answered(visitors[at]!);
    }
    assertEquals(server.served, [2, 0, 1].map((at) => visitors[at]!.localPort));
    await trial.empty();
  },

  "refuses where the limiter does in the end, and serves others meanwhile": async (adapter) => {
    await using trial = await new Trial(adapter).serve();
    const { admitter } = trial;
    const [first, second, third] = [await trial.visitAndAsk(), await trial.visitAndAsk(), await trial.visitAndAsk()];
    const slots = [admitter.limiter.accept("127.0.0.1"), admitter.limiter.accept("127.0.0.1")];
    admitter.questions[1]!.decide();
    await trial.turnedAway(second, "client");
    slots[0]!.release();
    admitter.questions[2]!.decide();
    await trial.answered(third);
    slots[1]!.release();
    admitter.questions[0]!.decide();
    await trial.answered(first);
    await trial.empty();
  },

  "keeps nothing of a client that leaves while it is pending": async (adapter) => {
    await using trial = await new Trial(adapter).serve();
    const { admitter, server } = trial;
    // Node takes a reset behind bytes that nobody has read for an end, which it does not report.
    const visitor = await trial.visitAndAsk(adapter.hearsSilent ? "" : undefined);
    visitor.reset();
    if (adapter.blind) await aWhile();
    else await admitter.waiting(0);
    const admission = admitter.questions[0]!.decide();
    assert(admission.admitted);
    await eventually(() => admission.released, "the slot to be released");
    if (!adapter.blind) assertEquals(server.served, []);
    assertEquals([trial.refused, trial.errors], [[], []]);
    await trial.empty();
  },

  "refuses what takes too long, and gives back a slot that comes too late": async (adapter) => {
    await using trial = await new Trial(adapter).serve({ timeout: 50 });
    const { admitter, server } = trial;
    const visitor = await trial.visitAndAsk();
    await trial.turnedAway(visitor, "timeout");
    const admission = admitter.questions[0]!.decide();
    assert(admission.admitted);
    await eventually(() => admission.released, "the slot to be released");
    assertEquals([server.served, admitter.pending], [[], 0]);
    const next = await trial.visitAndAsk();
    admitter.questions[1]!.decide();
    await trial.answered(next);
    await trial.empty();
  },

  "lets no more be pending than may be": async (adapter) => {
    await using trial = await new Trial(adapter).serve({ max: 2 });
    const { admitter } = trial;
    const first = [await trial.visitAndAsk(), await trial.visitAndAsk()];
    const third = await trial.visit();
    if (adapter.backlog) {
      await aWhile();
      assertStrictEquals(admitter.questions.length, 2);
      admitter.questions[0]!.decide();
      await admitter.asked(3);
    } else {
      await trial.turnedAway(third, "pending");
      // Its question has been asked; a slot that comes of it is given back.
      assert(admitter.questions.at(-1)!.decide().admitted);
      admitter.questions[0]!.decide();
    }
    await trial.answered(first[0]!);
    admitter.questions[1]!.decide();
    await trial.answered(first[1]!);
    await trial.empty();
  },

  "refuses where the limiter rejects, throws or answers nonsense, and reports that": async (adapter) => {
    await using trial = await new Trial(adapter).serve();
    const { admitter } = trial;
    const failures: ((question: SlowAdmitter["questions"][number]) => void)[] = [
      ({ fail }) => fail(new Error("rejected")),
      ({ answer }) => answer(undefined),
      ({ answer }) => answer({ admitted: "yes" }),
    ];
    for (const [at, fail] of failures.entries()) {
      const visitor = await trial.visitAndAsk();
      fail(admitter.questions[at]!);
      await eventually(() => trial.refused.length === 1, "a refusal");
      assertEquals(trial.refused.splice(0), ["unavailable"]);
      if (adapter.refusal === undefined) assertStrictEquals(await visitor.ended(), "");
      assertStrictEquals(trial.errors.length, at + 1);
    }
    admitter.tryAccept = () => {
      throw new Error("thrown");
    };
    await trial.visit();
    await eventually(() => trial.errors.length === failures.length + 1, "the error to be reported");
    assertStrictEquals(admitter.limiter.stats().refusedBy.unavailable, 4);
    assertEquals(trial.errors.map((error) => (error as Error).message.split(",")[0]), [
      "rejected",
      "a limiter must answer with a slot or a refusal",
      "a limiter must answer with a slot or a refusal",
      "thrown",
    ]);
    await trial.empty();
  },

  "closes what is pending when it stops, at once": async (adapter) => {
    await using trial = await new Trial(adapter).serve();
    const { admitter, server } = trial;
    if (server.stop === undefined) return;
    const visitors = [await trial.visitAndAsk(), await trial.visitAndAsk()];
    await within(server.stop(), "the stop");
    for (const visitor of visitors) assertStrictEquals(await visitor.ended(), "");
    for (const question of admitter.questions) question.decide();
    await trial.empty();
    assertEquals([server.served, trial.refused], [[], []]);
  },

  "asks for the client before it asks the limiter": async (adapter) => {
    const signals: AbortSignal[] = [];
    const answers: Deferred<never>[] = [];
    await using trial = await new Trial(adapter).serve({ max: 3 }, (_, signal) => {
      signals.push(signal);
      const answer = withResolvers<never>();
      answers.push(answer);
      return answer.promise;
    });
    const { admitter } = trial;
    const visit = async (words?: string) => {
      const before = answers.length;
      const visitor = await trial.visit(words);
      await eventually(() => answers.length > before, "the resolver to be asked");
      return visitor;
    };
    const first = await visit();
    await admitter.waiting(1);
    answers[0]!.resolve({ key: "somebody" } as never);
    await admitter.asked(1);
    assertEquals([admitter.questions[0]!.peer, signals[0]!.aborted], [{ key: "somebody" }, false]);
    admitter.questions[0]!.decide();
    await trial.answered(first);
    assertEquals(
      [...admitter.limiter.clients()].map(({ client }) => client).slice(0, 1),
      ["somebody"].slice(0, admitter.limiter.open),
    );
    const second = await visit();
    answers[1]!.resolve({ admitted: false, reason: "unknown-address" } as never);
    await trial.turnedAway(second, "unknown-address");
    const third = await visit();
    answers[2]!.reject(new Error("not found"));
    await trial.turnedAway(third, "unavailable");
    assertEquals(trial.errors.splice(0).map(String), ["Error: not found"]);
    if (!adapter.blind) {
      const fourth = await visit(adapter.hearsSilent ? "" : undefined);
      fourth.reset();
      await eventually(() => signals[3]!.aborted, "the signal to be aborted");
      answers[3]!.reject(new Error("too late to matter"));
    }
    await trial.empty();
    assertEquals(trial.errors, []);
  },
};
