/**
 * A limiter that is met twice.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { type Admission, type Admitter, Limiter, type Peer, type Slot } from "@connlimit/connlimit";
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

/** A limiter of the user's in front of another, whose slots it hands on or wraps. */
class Front implements Admitter {
  readonly local: Limiter;
  readonly #wraps: boolean;
  asked = 0;

  constructor(local: Limiter, wraps = false) {
    this.local = local;
    this.#wraps = wraps;
  }

  tryAccept(peer: Peer): Promise<Admission> {
    this.asked++;
    const slot = this.local.tryAccept(peer);
    if (!slot.admitted || !this.#wraps) return Promise.resolve(slot);
    const release = () => slot.release();
    return Promise.resolve({
      ...{ admitted: true, client: slot.client, release, [Symbol.dispose]: release } as const,
      get released() {
        return slot.released;
      },
    });
  }
}

for (const wraps of [false, true]) {
  test(`createGate() asks a limiter of the user's once that ${wraps ? "wraps" : "hands on"} the slots of another`, async () => {
    const front = new Front(new Limiter(), wraps);
    const records: OpenConn[] = [];
    const port = Object.assign(new FakePort(), { recordOf: () => records[0] });
    const offer = createGate(port, front, {}, new PendingStage());
    await offer("a");
    records.push(recordOf(port.slots[0]!));
    assertStrictEquals(slotFrom(front, records[0]), port.slots[0]);
    // It is passed on, and met once more; then by another client, and after its end.
    assertEquals([await offer("a"), front.asked, front.local.open], ["admit a", 1, 1]);
    assertEquals([await offer("b"), front.asked, front.local.open], ["admit b", 2, 2]);
    port.slots[0]!.release();
    assertEquals([await offer("a"), front.asked, front.local.open], ["admit a", 3, 2]);
  });
}

test("createGate() asks a limiter of the user's of a connection that only the limiter underneath has admitted", async () => {
  const front = new Front(new Limiter());
  const record = recordOf(front.local.accept({ key: "a" }));
  const port = Object.assign(new FakePort(), { recordOf: () => record });
  const offer = createGate(port, front, {}, new PendingStage());
  assertStrictEquals(slotFrom(front, record), undefined);
  assertEquals([await offer("a"), front.asked], ["admit a", 1]);
});

test("checkLimitedOnce() takes limiters that count by the same one for one", () => {
  const limiter = new Limiter();
  const [front, other] = [new Front(limiter), new Front(new Limiter())];
  const none = { tryAccept: (peer: Peer) => limiter.tryAccept(peer) };
  for (const [inner, outer] of [[limiter, front], [front, limiter], [front, new Front(limiter)]] as const) {
    const limited = markLimited({}, {}, inner);
    assertThrows(() => checkLimitedOnce("handler", limited, outer), TypeError, "limiter must be one");
  }
  const limited = markLimited(markLimited({}, {}, front), {}, none);
  checkLimitedOnce("handler", limited, other);
  checkLimitedOnce("handler", limited, { ...none });
});
