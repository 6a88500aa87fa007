/**
 * A resolver finds the client of each connection, before the limiter is asked.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter, type Peer } from "@connlimit/connlimit";
import { createGate } from "../../src/admission/gate.ts";
import type { PendingOptions } from "../../src/admission/pending_conns.ts";
import { PendingStage, type Refused } from "../../src/admission/pending_stage.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakePort } from "../support/fake_port.ts";
import { throwing } from "../support/failures.ts";
import { turns } from "../support/settled.ts";
import { type Deferred, withResolvers } from "../support/slow_admitter.ts";
import { StageTrial } from "../support/stage_trial.ts";

/** A call of the resolver. */
interface Call extends Deferred<Peer | Refused> {
  readonly conn: string;
  readonly signal: AbortSignal;
}

/** A stage whose resolver answers when the test says so. */
function resolving(options: PendingOptions = { timeout: 2 ** 31 - 1 }): [trial: StageTrial, calls: Call[]] {
  const calls: Call[] = [];
  const trial = new StageTrial(options, (conn, { signal }) => {
    const deferred = withResolvers<Peer | Refused>();
    calls.push({ ...deferred, conn, signal });
    return deferred.promise;
  });
  return [trial, calls];
}

test("PendingStage asks the limiter for the client that the resolver has found", async () => {
  const [trial, calls] = resolving();
  const result = trial.offer("a");
  assertEquals([trial.port.log, trial.counts, trial.admitter.questions], [["hold a"], [1, 0], []]);
  assertEquals(calls.map(({ conn, signal }) => [conn, signal.aborted]), [["a", false]]);
  calls[0]!.resolve({ key: "somebody" });
  await turns();
  assertEquals(trial.admitter.questions.map(({ peer }) => peer), [{ key: "somebody" }]);
  assertEquals([trial.counts, calls[0]!.signal.aborted], [[1, 0], false]);
  trial.admitter.questions[0]!.decide();
  assertStrictEquals(await result, "admit a");
  assertEquals([trial.port.slots[0]!.client, trial.counts, calls[0]!.signal.aborted], ["somebody", [0, 1], true]);
});

test("PendingStage takes the answer at once of a limiter behind a resolver", async () => {
  const [trial, calls] = resolving();
  trial.admitter.tryAccept = (peer) => trial.admitter.limiter.tryAccept(peer) as never;
  const results = [trial.offer("a"), trial.offer("b")];
  for (const call of calls) call.resolve({ key: "somebody" });
  assertEquals(await Promise.all(results), ["admit a", "refuse b: client"]);
  assertEquals(trial.counts, [0, 1, ["client", 1]]);
});

test("PendingStage refuses for the reason that the resolver gives, and does not ask the limiter", async () => {
  const [trial, calls] = resolving();
  const result = trial.offer("a");
  calls[0]!.resolve({ admitted: false, reason: "unknown-address" });
  assertStrictEquals(await result, "refuse a: unknown-address");
  assertEquals([trial.counts, trial.errors], [[0, 0, ["unknown-address", 1]], []]);
  assertEquals(trial.admitter.questions, []);
});

test("PendingStage refuses where the resolver rejects or throws, and reports that", async () => {
  const [trial, calls] = resolving();
  const result = trial.offer("a");
  calls[0]!.reject("rejected");
  assertStrictEquals(await result, "refuse a: unavailable");
  assertEquals([trial.errors, trial.counts], [["rejected"], [0, 0, ["unavailable", 1]]]);
  const throws = new StageTrial({ timeout: 2 ** 31 - 1 }, throwing("thrown"));
  assertStrictEquals(await throws.offer("a"), "refuse a: unavailable");
  assertEquals([throws.errors, throws.counts], [["thrown"], [0, 0, ["unavailable", 1]]]);
});

test("PendingStage refuses where the limiter behind a resolver throws, and reports that", async () => {
  const [trial, calls] = resolving();
  trial.admitter.tryAccept = throwing("thrown");
  const result = trial.offer("a");
  calls[0]!.resolve({ key: "somebody" });
  assertStrictEquals(await result, "refuse a: unavailable");
  assertEquals(trial.errors, ["thrown"]);
});

test("PendingStage aborts the resolver's signal at the end, and does not ask the limiter after it", async () => {
  const [trial, calls] = resolving();
  const [left, closed] = [trial.offer("a"), trial.offer("b")];
  trial.port.leave.get("a")!();
  assertEquals(calls.map(({ signal }) => signal.aborted), [true, false]);
  assertStrictEquals(await left, "drop a");
  trial.stage.close();
  assertEquals(calls.map(({ signal }) => signal.aborted), [true, true]);
  assertStrictEquals(await closed, "drop b");
  calls[0]!.resolve({ key: "somebody" });
  calls[1]!.reject("too late");
  await turns();
  assertEquals([trial.admitter.questions, trial.errors, trial.counts], [[], [], [0, 0]]);
});

test("PendingStage has one timeout for the resolver and the limiter together", async () => {
  using clock = new FakeClock();
  const [trial, calls] = resolving({ timeout: 100 });
  const result = trial.offer("a");
  clock.pass(60);
  calls[0]!.resolve({ key: "somebody" });
  await turns();
  assertStrictEquals(trial.admitter.questions.length, 1);
  clock.pass(40);
  assertStrictEquals(await result, "refuse a: timeout");
  const late = trial.admitter.questions[0]!.decide();
  await turns();
  assert(late.admitted && late.released);
  assertEquals(trial.counts, [0, 0, ["timeout", 1]]);
});

test("PendingStage that is full or closed does not call the resolver", async () => {
  const [trial, calls] = resolving({ max: 1 });
  const first = trial.offer("a");
  assertEquals([trial.offer("b"), trial.counts], ["refuse b: pending", [1, 0, ["pending", 1]]]);
  trial.stage.close();
  assertEquals([trial.offer("c"), calls.length, await first], ["drop c", 1, "drop a"]);
});

test("PendingStage drops a connection of which the resolver says that it has ended", async () => {
  const [trial, calls] = resolving();
  const result = trial.offer("a");
  calls[0]!.resolve(undefined as never);
  assertStrictEquals(await result, "drop a");
  assertEquals([trial.counts, trial.admitter.questions, trial.port.log], [[0, 0], [], ["hold a", "free a", "drop a"]]);
});

test("PendingStage decides at once on a client that is known, also where it is full", async () => {
  const answers: Record<string, Peer | Refused> = {
    known: { key: "somebody" },
    refused: { admitted: false, reason: "blocked" },
  };
  const port = new FakePort();
  const limiter = new Limiter({ maxPerClient: 1 });
  const errors: unknown[] = [];
  const never = new Promise<undefined>(() => {});
  const stage = new PendingStage<string>({ max: 1 }, () => never, (conn) => {
    if (conn === "nonsense") throw "thrown";
    return answers[conn];
  });
  const offer = createGate(port, limiter, { onError: (error) => void errors.push(error) }, stage);
  assertEquals([offer("refused"), offer("known"), offer("known")], [
    "refuse refused: blocked",
    "admit known",
    "refuse known: client",
  ]);
  port.slots[0]!.release();
  const pending = offer("other");
  assertEquals([limiter.stats().pending, offer("more"), offer("known")], [1, "refuse more: pending", "admit known"]);
  assertEquals([offer("nonsense"), errors], ["refuse nonsense: unavailable", ["thrown"]]);
  stage.close();
  assertEquals([await pending, offer("known")], ["drop other", "drop known"]);
});
