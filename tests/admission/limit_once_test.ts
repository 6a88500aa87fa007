/**
 * A limiter that is met twice.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { type Admission, Limiter, type Slot } from "@connlimit/connlimit";
import { createGate } from "../../src/admission/gate.ts";
import { checkLimitedOnce, markLimited, slotFrom } from "../../src/admission/limit_once.ts";
import { OpenConn } from "../../src/admission/open_conn.ts";
import { PendingStage } from "../../src/admission/pending_stage.ts";
import { FakePort } from "../support/fake_port.ts";

/** A record of slots, the last one on top. */
function recordOf(...slots: Slot[]): OpenConn {
  let record = new OpenConn({}, undefined);
  for (const slot of slots) {
    record = new OpenConn({}, record);
    record.hold(slot, undefined);
  }
  return record;
}

test("checkLimitedOnce() finds a limiter anywhere below, and no other", () => {
  const [one, two, three] = [new Limiter(), new Limiter(), new Limiter()];
  const inner = {};
  const middle = markLimited({}, inner, one);
  const outer = markLimited({}, middle, two);
  for (const limiter of [one, two]) {
    assertThrows(
      () => checkLimitedOnce("handler", outer, limiter),
      TypeError,
      "limiter must be one that the handler does not have already",
    );
  }
  for (const limited of [inner, undefined, null, 7, "listener"]) checkLimitedOnce("handler", limited, one);
  checkLimitedOnce("handler", outer, three);
  checkLimitedOnce("handler", middle, two);
});

test("slotFrom() has the slot of a limiter or of a slot's limiter, for a client, while it is held", () => {
  const limiter = new Limiter();
  const other = new Limiter();
  const slots = [limiter.accept("192.0.2.7"), other.accept("192.0.2.7"), limiter.accept({ key: "alice" })] as const;
  const record = recordOf(...slots);
  assertStrictEquals(slotFrom(limiter, record), slots[2]);
  assertStrictEquals(slotFrom(limiter, record, "192.0.2.7"), slots[0]);
  assertStrictEquals(slotFrom(slots[0], record, "alice"), slots[2]);
  assertStrictEquals(slotFrom(other, record), slots[1]);
  for (
    const none of [slotFrom(other, record, "alice"), slotFrom(new Limiter(), record), slotFrom(limiter, undefined)]
  ) {
    assertStrictEquals(none, undefined);
  }
  // What is no limiter of this package has no slots that could be told from others.
  assertStrictEquals(slotFrom({}, record), undefined);
  slots[2].release();
  assertStrictEquals(slotFrom(limiter, record), slots[0]);
});

for (const pending of [undefined, new PendingStage<string>()]) {
  const name = pending === undefined ? "createGate()" : "createGate() with a pending stage";

  test(`${name} counts once a connection that has a slot of the limiter for the same client`, () => {
    const limiter = new Limiter({ maxPerClient: 1 });
    const slot = limiter.accept({ key: "a" });
    const record = recordOf(slot);
    const port = Object.assign(new FakePort(), { recordOf: (conn: string) => conn === "new" ? undefined : record });
    const offer = createGate(port, limiter, {}, pending);
    assertEquals([offer("a"), offer("b"), offer("new")], ["admit a", "admit b", "admit new"]);
    assertStrictEquals(port.slots[0], slot);
    assertEquals([limiter.open, limiter.stats().admitted, limiter.openFor({ key: "a" })], [3, 3, 1]);
    slot.release();
    assertEquals([offer("a"), port.slots.at(-1) === slot], ["admit a", false]);
  });
}

test("createGate() asks a limiter of another make each time", () => {
  const limiter = new Limiter();
  const other = { tryAccept: (peer: { key: string }): Admission => limiter.tryAccept(peer) };
  const port = Object.assign(new FakePort(), { recordOf: () => recordOf(port.slots[0]!) });
  const offer = createGate(port, other as never, {});
  port.slots.push(limiter.accept({ key: "a" }));
  offer("a");
  assertStrictEquals(limiter.open, 2);
});
