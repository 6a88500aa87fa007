/**
 * What holds of connections whose admission takes time, on every adapter and runtime.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { aWhile, eventually, within } from "./net.ts";
import { type Adapter, Trial, type Visitor } from "./pending_trial.ts";
import { type Deferred, type SlowAdmitter, withResolvers } from "./slow_admitter.ts";

export type { Adapter, Server, Setup } from "./pending_trial.ts";

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
      assertStrictEquals(admitter.questions.length, 2);
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
    await using trial = await new Trial(adapter).serve({ max: 3 }, (_, { signal }) => {
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
