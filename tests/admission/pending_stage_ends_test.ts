/**
 * Connections stop being pending without a decision, and a slot that comes then is given back.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { createGate } from "../../src/admission/gate.ts";
import { PendingStage } from "../../src/admission/pending_stage.ts";
import { FakePort } from "../support/fake_port.ts";
import { throwing } from "../support/failures.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { settled, turns } from "../support/settled.ts";
import { StageTrial } from "../support/stage_trial.ts";

test("PendingStage drops a connection whose client leaves, and gives back a slot that comes later", async () => {
  const trial = new StageTrial();
  const result = trial.offer("a");
  trial.port.leave.get("a")!();
  assertStrictEquals(await result, "drop a");
  assertEquals([trial.port.log, trial.counts], [["hold a", "free a", "drop a"], [0, 0]]);
  const late = trial.admitter.questions[0]!.decide();
  await turns();
  assert(late.admitted && late.released);
  assertEquals([trial.counts, trial.errors], [[0, 0], []]);
});

test("PendingStage keeps a failure to itself that comes after the end", async () => {
  const trial = new StageTrial();
  const result = trial.offer("a");
  trial.port.leave.get("a")!();
  await result;
  trial.admitter.questions[0]!.fail("too late");
  await turns();
  assertEquals([trial.errors, trial.counts], [[], [0, 0]]);
});

test("PendingStage refuses after the timeout, and gives back a slot that comes later", async () => {
  using clock = new FakeClock();
  const trial = new StageTrial({ timeout: 100 });
  const result = trial.offer("a") as Promise<string>;
  clock.pass(98);
  assertStrictEquals(await settled(result), "open");
  clock.pass(2);
  assertStrictEquals(await result, "refuse a: timeout");
  assertEquals([trial.port.log, trial.counts], [["hold a", "free a", "refuse a: timeout"], [0, 0, ["timeout", 1]]]);
  const late = trial.admitter.questions[0]!.decide();
  await turns();
  assert(late.admitted && late.released);
  assertStrictEquals(trial.admitter.limiter.open, 0);
});

for (const end of ["leaves", "times out", "is closed"]) {
  const expected = end === "times out" ? "refuse a: timeout" : "drop a";
  for (const order of ["before", "after"]) {
    test(`PendingStage gives back the slot where a connection ${end} in the turn of the decision, ${order} it`, async () => {
      using clock = new FakeClock();
      const trial = new StageTrial({ timeout: 100 });
      const result = trial.offer("a");
      const finish = () => {
        if (end === "leaves") trial.port.leave.get("a")!();
        else if (end === "times out") clock.pass(100);
        else trial.stage.close();
      };
      if (order === "before") finish();
      const admission = trial.admitter.questions[0]!.decide();
      if (order === "after") finish();
      assertStrictEquals(await result, expected);
      await turns();
      assert(admission.admitted && admission.released);
      assertEquals([trial.counts, trial.port.slots], [[0, 0, ...end === "times out" ? [["timeout", 1]] : []], []]);
      assertEquals(trial.port.log, ["hold a", "free a", expected]);
    });
  }
}

test("PendingStage admits no connection whose client has left before, however close the decision is", async () => {
  const results = new Set<string>();
  for (let between = 0; between < 20; between++) {
    const trial = new StageTrial();
    const result = trial.offer("a");
    const admission = trial.admitter.questions[0]!.decide();
    for (let turn = 0; turn < between; turn++) await Promise.resolve();
    const expected = trial.port.log.includes("admit a") ? "admit a" : "drop a";
    trial.port.leave.get("a")!();
    assertStrictEquals(await result, expected);
    await turns();
    assert(admission.admitted);
    assertStrictEquals(admission.released, expected === "drop a");
    assertEquals(trial.counts, [0, admission.released ? 0 : 1]);
    results.add(expected);
  }
  assertEquals([...results], ["drop a", "admit a"]);
});

test("PendingStage leaves an admitted connection alone when its client leaves", async () => {
  const trial = new StageTrial();
  const result = trial.offer("a");
  trial.admitter.questions[0]!.decide();
  assertStrictEquals(await result, "admit a");
  trial.port.leave.get("a")!();
  trial.stage.close();
  await turns();
  assertEquals([trial.port.log, trial.port.slots[0]!.released], [["hold a", "free a", "admit a"], false]);
  assertEquals(trial.counts, [0, 1]);
});

for (const what of ["hold", "free", "hold, whose limiter is slow,"]) {
  test(`PendingStage keeps nothing of a connection that it cannot ${what} and refuses it`, async () => {
    const trial = new StageTrial({ max: 1, timeout: 2 ** 31 - 1 });
    const { port, admitter } = trial;
    port.hold = what === "free" ? () => throwing("broken") : throwing("broken");
    const result = trial.offer("a");
    const decide = () => admitter.questions[0]!.decide();
    const early = what.includes("slow") ? undefined : decide();
    assertStrictEquals(await result, "refuse a: unavailable");
    const slot = early ?? decide();
    await turns();
    assert(slot.admitted && slot.released);
    assertEquals([trial.counts, trial.errors], [[0, 0, ["unavailable", 1]], ["broken"]]);
    assertEquals([port.log, trial.stage.full], [["refuse a: unavailable"], false]);
  });
}

test("PendingStage that is full refuses at once, before the limiter is asked", async () => {
  const trial = new StageTrial({ max: 1, timeout: 2 ** 31 - 1 });
  const first = trial.offer("a");
  const space = trial.stage.space();
  assertEquals([trial.stage.full, await settled(space)], [true, "open"]);
  assertStrictEquals(trial.offer("b"), "refuse b: pending");
  assertStrictEquals(trial.offer("c"), "refuse c: pending");
  assertStrictEquals(trial.admitter.questions.length, 1);
  assertEquals([trial.counts, trial.errors], [[1, 0, ["pending", 2]], []]);
  trial.admitter.questions[0]!.decide();
  assertStrictEquals(await first, "admit a");
  assertEquals([trial.stage.full, await settled(space)], [false, undefined]);
});

test("PendingStage that closes drops what is pending, and what would be from then on", async () => {
  const trial = new StageTrial();
  const before = [trial.offer("a"), trial.offer("b")];
  trial.stage.close();
  assertEquals(await Promise.all(before), ["drop a", "drop b"]);
  assertStrictEquals(trial.offer("c"), "drop c");
  const late = trial.admitter.questions.map((question) => question.decide());
  await turns();
  assert(late.every((admission) => admission.admitted && admission.released));
  assertEquals([trial.counts, trial.errors], [[0, 0], []]);
});

test("PendingStage that is full and closed drops, and counts no refusal", async () => {
  const trial = new StageTrial({ max: 1 });
  const first = trial.offer("a");
  trial.stage.close();
  assertEquals([trial.offer("b"), trial.admitter.questions.length], ["drop b", 1]);
  assertStrictEquals(await first, "drop a");
  assertEquals([trial.offer("c"), trial.counts], ["drop c", [0, 0]]);
});

test("PendingStage that is full gives back the slot of a limiter that takes its time after all", async () => {
  const port = new FakePort();
  const never = new Promise<undefined>(() => {});
  const stage = new PendingStage<string>({ max: 1 }, () => never, (conn) => conn === "a" ? undefined : { key: conn });
  const limiter = new Limiter();
  const offer = createGate(port, limiter, {}, stage);
  const first = offer("a");
  const tryAccept = limiter.tryAccept.bind(limiter);
  limiter.tryAccept = (peer) => Promise.resolve(tryAccept(peer)) as never;
  assertStrictEquals(offer("b"), "refuse b: pending");
  assertStrictEquals(limiter.open, 1);
  limiter.tryAccept = () => Promise.reject(new Error("nobody waits for it")) as never;
  assertStrictEquals(offer("c"), "refuse c: pending");
  await turns();
  assertEquals([limiter.open, limiter.stats().refusedBy.pending], [0, 2]);
  stage.close();
  assertStrictEquals(await first, "drop a");
});

test("PendingStage lets nonsense that comes too late end nothing", async () => {
  const { admitter, stage, offer, port } = new StageTrial({ max: 1 });
  const first = offer("a");
  admitter.tryAccept = () => Promise.resolve(null) as never;
  assertEquals(offer("b"), "refuse b: pending");
  stage.close();
  assertEquals(offer("c"), "drop c");
  assertStrictEquals(await first, "drop a");
  await turns();
  assertEquals(port.slots, []);
});

test("PendingStage rejects bounds that are none", () => {
  for (const max of [0, -1, 1.5, NaN, Infinity]) {
    assertThrows(() => new PendingStage({ max }), RangeError, "max must be");
  }
  for (const timeout of [-1, NaN, Infinity, 2 ** 31]) {
    assertThrows(() => new PendingStage({ timeout }), RangeError, "timeout must be");
  }
  assertThrows(() => new PendingStage({ max: "1" as never }), TypeError, 'max must be a number, got "1"');
});
