/**
 * The records of open connections.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { Limiter, type Slot } from "@connlimit/connlimit";
import { OPEN_CONN, OpenConn, OpenConns, type Recorded } from "../../src/admission/open_conn.ts";
import { acceptAll } from "../support/admissions.ts";
import { settled } from "../support/settled.ts";

/** Slots of one client. */
function slots(count: number): Slot[] {
  return acceptAll(new Limiter(), "192.0.2.7", count);
}

test("OpenConn holds its slot and is in its list until it ends, once", () => {
  const [slot] = slots(1);
  const conn = { name: "conn" };
  const list = new OpenConns();
  const record = new OpenConn(conn, undefined);
  assertEquals([record.slot, record.ended, record.under, list.size], [undefined, false, undefined, 0]);
  assertStrictEquals(record.conn, conn);
  record.hold(slot, list);
  assertStrictEquals(record.slot, slot);
  assertEquals([record.ended, slot!.released, list.size], [false, false, 1]);
  assertStrictEquals(list.conns()[0], conn);
  const other = new OpenConn({}, undefined);
  other.hold(undefined, list);
  for (let i = 0; i < 2; i++) {
    record.end();
    assertEquals([record.ended, slot!.released, list.size], [true, true, 1]);
  }
  assertStrictEquals(list.conns()[0], other.conn);
});

test("OpenConn releases a slot that comes after the end, and is in no list", () => {
  const [slot] = slots(1);
  const list = new OpenConns();
  const record = new OpenConn({}, undefined);
  record.end();
  record.hold(slot, list);
  assertEquals([slot!.released, list.size, record.ended], [true, 0, true]);
});

test("OpenConn ends at once where the connection has ended under it", () => {
  const [one, other] = slots(2);
  const lists = [new OpenConns(), new OpenConns()] as const;
  const under = new OpenConn({}, undefined);
  under.hold(one, lists[0]);
  const record = new OpenConn({}, under);
  under.end();
  record.hold(other, lists[1]);
  assertEquals([one!.released, other!.released, record.ended, lists[1].size], [true, true, true, 0]);
});

test("OpenConn.end() ends the records under it, and endAlone() its own alone", () => {
  const [one, two, three] = slots(3);
  const lists = [new OpenConns(), new OpenConns(), new OpenConns()] as const;
  const first = new OpenConn({}, undefined);
  first.hold(one, lists[0]);
  const second = new OpenConn(first.conn, first);
  second.hold(two, lists[1]);
  const third = new OpenConn(first.conn, second);
  third.hold(three, lists[2]);
  assertStrictEquals(third.under, second);
  const state = () => [one!.released, two!.released, three!.released, ...lists.map(({ size }) => size)];
  assertEquals(state(), [false, false, false, 1, 1, 1]);
  third.endAlone();
  assertEquals(state(), [false, false, true, 1, 1, 0]);
  second.end();
  assertEquals(state(), [true, true, true, 0, 0, 0]);
  assertEquals([first, second, third].map(({ ended }) => ended), [true, true, true]);
});

test("OpenConn ends a connection with more records than the stack has room for", () => {
  const [slot] = slots(1);
  const list = new OpenConns();
  let record = new OpenConn({}, undefined);
  record.hold(slot, list);
  for (let i = 0; i < 100_000; i++) record = new OpenConn(record.conn, record);
  record.end();
  assertEquals([slot!.released, list.size], [true, 0]);
});

test("OpenConn.bind() puts a record on top of the one before, and says whether there was none", () => {
  const [one, other] = slots(2);
  const conn: Recorded = {};
  const list = new OpenConns();
  assertStrictEquals(OpenConn.bind(conn, one, list), true);
  const first = conn[OPEN_CONN]!;
  assertStrictEquals(first.conn, conn);
  assertStrictEquals(OpenConn.bind(conn, other, list), false);
  const second = conn[OPEN_CONN]!;
  assertStrictEquals(second.under, first);
  assertStrictEquals(second.slot, other);
  // A list has a connection once.
  assertStrictEquals(list.size, 1);
  second.end();
  assertEquals([one!.released, other!.released, list.size], [true, true, 0]);
});

test("OpenConn shows nothing of other connections when it is printed", () => {
  const record = new OpenConn({}, undefined);
  record.hold(slots(1)[0], new OpenConns());
  assertEquals(Object.keys(record), []);
  assertStrictEquals(JSON.stringify(record), "{}");
});

test("OpenConns.idle() resolves at once without connections, and else for all who wait when the last one ends", async () => {
  const list = new OpenConns();
  assertStrictEquals(await settled(list.idle()), undefined);
  const records = [new OpenConn({}, undefined), new OpenConn({}, undefined)];
  for (const record of records) record.hold(undefined, list);
  const waits = [list.idle(), list.idle()];
  records[0]!.end();
  assertEquals(await Promise.all(waits.map(settled)), ["open", "open"]);
  records[1]!.end();
  assertEquals(await Promise.all(waits.map(settled)), [undefined, undefined]);
  const next = new OpenConn({}, undefined);
  next.hold(undefined, list);
  const later = list.idle();
  assertStrictEquals(await settled(later), "open");
  next.end();
  assertStrictEquals(await settled(later), undefined);
});

test("OpenConns.conns() is a copy, which may be gone through while connections end", () => {
  const list = new OpenConns();
  const conns = Array.from({ length: 5 }, () => ({}) as Recorded);
  for (const conn of conns) OpenConn.bind(conn, undefined, list);
  let ended = 0;
  for (const conn of list.conns() as Recorded[]) {
    conn[OPEN_CONN]!.end();
    ended++;
  }
  assertEquals([ended, list.size], [5, 0]);
});

/** A step of the model: a connection opens, or one of the open ones or of those that have ended ends. */
const step = fc.record({ kind: fc.constantFrom("open", "open", "end", "end again"), which: fc.nat() });

test("OpenConns have the connections that a set has, whatever opens and ends", () => {
  let most = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: "max" }), (steps) => {
      const limiter = new Limiter();
      const list = new OpenConns();
      const model = new Set<OpenConn>();
      const gone: OpenConn[] = [];
      for (const { kind, which } of steps) {
        if (kind === "open") {
          const record = new OpenConn({}, undefined);
          record.hold(limiter.accept("192.0.2.7"), list);
          model.add(record);
        } else if (kind === "end" && model.size > 0) {
          const record = [...model][which % model.size]!;
          record.end();
          model.delete(record);
          gone.push(record);
        } else if (gone.length > 0) {
          gone[which % gone.length]!.end();
        }
        most = Math.max(most, model.size);
        const conns = list.conns();
        assertStrictEquals(conns.length, model.size);
        assertStrictEquals(list.size, model.size);
        assertStrictEquals(limiter.open, model.size);
        const expected = new Set([...model].map(({ conn }) => conn));
        assert(conns.every((conn) => expected.delete(conn)));
      }
    }),
    { numRuns: 500 },
  );
  // A model that never has several at once would not see them change places.
  assert(most >= 5, `${most}`);
});
