/**
 * In a dry run the gate admits, and tells the hook.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter, type Refusal } from "@connlimit/connlimit";
import { createGate } from "../../src/admission/gate.ts";
import { PendingStage } from "../../src/admission/pending_stage.ts";
import { FakePort } from "../support/fake_port.ts";
import { throwing } from "../support/failures.ts";

for (const pending of [undefined, new PendingStage<string>()]) {
  const name = pending === undefined ? "createGate()" : "createGate() with a pending stage";

  test(`${name} admits in a dry run, and then tells onRefused, without presenting a refused connection`, () => {
    const limiter = new Limiter({ maxPerClient: 1, dryRun: true });
    const port = new FakePort();
    const told: unknown[] = [];
    const onRefused = ({ reason, dryRun, admitted }: Refusal, conn: unknown) =>
      void told.push([reason, dryRun, admitted, conn, port.log.length]);
    const offer = createGate(port, limiter, { onRefused }, pending);
    assertEquals([offer("a"), offer("a"), offer("b")], ["admit a", "admit a", "admit b"]);
    assertEquals(port.log, ["admit a", "admit a", "admit b"]);
    assertEquals(told, [["client", true, false, "a", 2]]);
    for (const slot of port.slots) slot.release();
    assertEquals([limiter.open, limiter.stats().wouldRefuse.client], [0, 1]);
  });

  test(`${name} admits in a dry run even where onRefused throws`, () => {
    const errors: unknown[] = [];
    const hooks = { onRefused: throwing("thrown"), onError: (error: unknown) => void errors.push(error) };
    const offer = createGate(new FakePort(), new Limiter({ maxTotal: 0, dryRun: true }), hooks, pending);
    assertStrictEquals(offer("a"), "admit a");
    assertEquals(errors, ["thrown"]);
  });

  test(`${name} does not tell once more of a slot that is held already`, () => {
    const limiter = new Limiter({ maxTotal: 0, dryRun: true });
    const held = limiter.accept({ key: "a" });
    let told = 0;
    const offer = createGate(new FakePort(), { tryAccept: () => held }, { onRefused: () => void told++ }, pending);
    for (let i = 0; i < 3; i++) assertStrictEquals(offer("a"), "admit a");
    assertStrictEquals(told, 1);
  });
}
