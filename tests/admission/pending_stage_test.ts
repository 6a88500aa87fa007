/**
 * Connections wait for a limiter that takes its time.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { createGate } from "../../src/admission/gate.ts";
import { PendingStage } from "../../src/admission/pending_stage.ts";
import type { Admitter, Port } from "../../src/admission/port.ts";
import { printed } from "../support/console.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { throwing } from "../support/failures.ts";
import { turns } from "../support/settled.ts";
import { StageTrial } from "../support/stage_trial.ts";

test("PendingStage holds a connection until the limiter admits or refuses it", async () => {
  const { admitter, port, offer, ...trial } = new StageTrial();
  const { stage } = trial;
  const results = [offer("a"), offer("b"), offer("a")] as Promise<string>[];
  assertEquals(port.log, ["hold a", "hold b", "hold a"]);
  assertEquals(admitter.questions.map(({ peer }) => peer), [{ key: "a" }, { key: "b" }, { key: "a" }]);
  assertEquals([admitter.pending, stage.full], [3, false]);
  port.log.length = 0;
  for (const at of [1, 0, 2]) {
    admitter.questions[at]!.decide();
    await results[at];
  }
  assertEquals(await Promise.all(results), ["admit a", "admit b", "refuse a: client"]);
  assertEquals(port.log, ["free b", "admit b", "free a", "admit a", "free a", "refuse a: client"]);
  assertEquals(port.slots.map(({ client, released }) => [client, released]), [["b", false], ["a", false]]);
  assertEquals(admitter.pending, 0);
});

test("PendingStage counts what is pending and refused exactly", async () => {
  using clock = new FakeClock();
  const trial = new StageTrial({ max: 3, timeout: 100 });
  const results = ["a", "b", "c", "d"].map((conn) => Promise.resolve(trial.offer(conn)));
  assertEquals([trial.counts, trial.stage.full], [[3, 0, ["pending", 1]], true]);
  trial.admitter.questions[0]!.decide();
  await results[0];
  assertEquals([trial.counts, trial.stage.full], [[2, 1, ["pending", 1]], false]);
  trial.admitter.questions[1]!.fail(new Error("down"));
  await results[1];
  assertEquals(trial.counts, [1, 1, ["pending", 1], ["unavailable", 1]]);
  clock.pass(100);
  await results[2];
  assertEquals(trial.counts, [0, 1, ["pending", 1], ["timeout", 1], ["unavailable", 1]]);
  assertEquals(await Promise.all(results), [
    "admit a",
    "refuse b: unavailable",
    "refuse c: timeout",
    "refuse d: pending",
  ]);
});

test("PendingStage refuses where the limiter throws at once, and reports that", async () => {
  const trial = new StageTrial();
  trial.admitter.tryAccept = throwing("thrown");
  assertStrictEquals(trial.offer("a"), "refuse a: unavailable");
  assertEquals([trial.errors, trial.counts, trial.port.log], [
    ["thrown"],
    [0, 0, ["unavailable", 1]],
    ["refuse a: unavailable"],
  ]);
  await turns();
  assertStrictEquals(trial.port.log.length, 1);
});

test("PendingStage refuses where the port cannot name the peer, and reports that", () => {
  const trial = new StageTrial();
  trial.port.peerOf = throwing("no peer");
  assertStrictEquals(trial.offer("a"), "refuse a: unavailable");
  assertEquals([trial.errors, trial.admitter.questions], [["no peer"], []]);
});

test("PendingStage refuses where the limiter rejects, and reports that", async () => {
  const trial = new StageTrial();
  const result = trial.offer("a");
  trial.admitter.questions[0]!.fail("rejected");
  assertStrictEquals(await result, "refuse a: unavailable");
  assertEquals([trial.errors, trial.counts], [["rejected"], [0, 0, ["unavailable", 1]]]);
});

test("PendingStage refuses where the limiter answers nonsense, at once or later, and reports what it got", async () => {
  for (
    const nonsense of [undefined, null, 7, "yes", {}, { admitted: "yes" }, { admitted: true }, {
      admitted: false,
      reason: "quota",
    }]
  ) {
    for (const later of [false, true]) {
      const trial = new StageTrial();
      trial.admitter.tryAccept = () => (later ? Promise.resolve(nonsense) : nonsense) as never;
      assertStrictEquals(await trial.offer("a"), "refuse a: unavailable");
      assertStrictEquals(trial.errors.length, 1);
      const [{ name, message }] = trial.errors as [Error];
      assertStrictEquals(name, "TypeError");
      assert(message.startsWith("a limiter must answer with a slot or a refusal, got "), message);
      assertEquals(trial.counts, [0, 0, ["unavailable", 1]]);
    }
  }
});

test("PendingStage prints the first failure of a limiter where there is no onError", async () => {
  const trial = new StageTrial();
  trial.admitter.tryAccept = throwing(new Error("thrown"));
  const offer = createGate(trial.port, trial.admitter, {}, trial.stage);
  const calls = await printed(() => [offer("a"), offer("b")]);
  assertEquals(calls.map(([, error]) => (error as Error).message), ["thrown"]);
});

test("PendingStage serves a port that cannot hold, and a limiter without counters", async () => {
  const { admitter, port } = new StageTrial();
  const foreign: Admitter = { tryAccept: (peer) => admitter.tryAccept(peer) };
  const bare: Port<string, string> = {
    peerOf: (conn) => port.peerOf(conn),
    admit: (conn, slot) => port.admit(conn, slot),
    present: (conn) => port.present(conn),
    refuse: (conn, refusal) => port.refuse(conn, refusal),
    drop: (conn) => port.drop(conn),
  };
  const offer = createGate(bare, foreign, {}, new PendingStage({ max: 1, timeout: 2 ** 31 - 1 }));
  const first = offer("a");
  assertStrictEquals(offer("b"), "refuse b: pending");
  admitter.questions[0]!.decide();
  assertStrictEquals(await first, "admit a");
  assertEquals([port.log, admitter.pending], [["refuse b: pending", "admit a"], 0]);
});
