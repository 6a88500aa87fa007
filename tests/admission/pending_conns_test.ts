/**
 * Pending connections are bounded in number and time.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { type PendingConn, PendingConns } from "../../src/admission/pending_conns.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { settled } from "../support/settled.ts";

/** Why each of the connections has ended, or `"open"`. */
function ends(conns: readonly PendingConn[]): Promise<(string | undefined)[]> {
  return Promise.all(conns.map((conn) => settled(conn.over)));
}

test("PendingConns are full when as many are pending as may be, and not before", () => {
  const pending = new PendingConns({ max: 2, timeout: Infinity });
  const first = pending.add();
  assertEquals([pending.size, pending.full], [1, false]);
  pending.add();
  assertEquals([pending.size, pending.full], [2, true]);
  pending.delete(first);
  assertEquals([pending.size, pending.full], [1, false]);
  assertStrictEquals(new PendingConns({ max: 0 }).full, true);
});

test("PendingConns hold a thousand for five seconds by default", async () => {
  using clock = new FakeClock();
  const pending = new PendingConns();
  const conns = Array.from({ length: 1_000 }, () => {
    assertStrictEquals(pending.full, false);
    return pending.add();
  });
  assertStrictEquals(pending.full, true);
  clock.pass(4_998);
  assertStrictEquals(pending.size, 1_000);
  clock.pass(2);
  assertStrictEquals(pending.size, 0);
  assertEquals(new Set(await ends(conns)), new Set(["timeout"]));
});

test("PendingConns.space() resolves at once where there is space, and else for all who wait", async () => {
  const pending = new PendingConns({ max: 2, timeout: Infinity });
  const conns = [pending.add()];
  assertStrictEquals(await settled(pending.space()), undefined);
  conns.push(pending.add());
  const waits = [pending.space(), pending.space(), pending.space()];
  assertEquals(await Promise.all(waits.map(settled)), ["open", "open", "open"]);
  pending.end(conns[0]!, "left");
  assertEquals(await Promise.all(waits.map(settled)), [undefined, undefined, undefined]);
  pending.add();
  const later = pending.space();
  assertStrictEquals(await settled(later), "open");
  pending.delete(conns[1]!);
  assertStrictEquals(await settled(later), undefined);
});

test("PendingConns start one timer for all, which ends each at its own deadline, in their order", async () => {
  using clock = new FakeClock();
  const pending = new PendingConns({ timeout: 100 });
  const conns: PendingConn[] = [];
  for (let i = 0; i < 4; i++) {
    conns.push(pending.add());
    assertStrictEquals(clock.timers, 1);
    clock.pass(10);
  }
  assertEquals([clock.delays, await ends(conns)], [[100], ["open", "open", "open", "open"]]);
  clock.pass(60);
  assertEquals(await ends(conns), ["timeout", "open", "open", "open"]);
  assertEquals([clock.timers, clock.delays], [1, [100, 10]]);
  clock.pass(20);
  assertEquals(await ends(conns), ["timeout", "timeout", "timeout", "open"]);
  clock.pass(10);
  assertEquals([await ends(conns), clock.timers], [["timeout", "timeout", "timeout", "timeout"], 0]);
  assertEquals(clock.delays, [100, 10, 10, 10]);
});

test("PendingConns whose first one is gone wait on for the deadline of the next", async () => {
  using clock = new FakeClock();
  const pending = new PendingConns({ timeout: 100 });
  const first = pending.add();
  clock.pass(30);
  const second = pending.add();
  pending.delete(first);
  clock.pass(99);
  assertEquals([await ends([first, second]), clock.timers], [["open", "open"], 1]);
  clock.pass(1);
  assertEquals([await ends([first, second]), clock.timers], [["open", "timeout"], 0]);
});

test("PendingConns cancel their timer when the last one is gone, and start another for the next", () => {
  using clock = new FakeClock();
  const pending = new PendingConns({ timeout: 100 });
  const conns = [pending.add(), pending.add()];
  pending.end(conns[0]!, "left");
  assertStrictEquals(clock.timers, 1);
  pending.delete(conns[1]!);
  assertStrictEquals(clock.timers, 0);
  pending.add();
  assertStrictEquals(clock.timers, 1);
  pending.endAll("closed");
  assertEquals([clock.timers, clock.delays], [0, [100, 100]]);
});

test("PendingConns take a timer that is early by less than a millisecond for one that is in time", async () => {
  using clock = new FakeClock();
  const pending = new PendingConns({ timeout: 100 });
  const conn = pending.add();
  clock.runEarly(0.9);
  assertEquals([await ends([conn]), clock.timers, clock.delays], [["timeout"], 0, [100]]);
});

test("PendingConns with a timeout of Infinity start no timer", async () => {
  using clock = new FakeClock();
  const pending = new PendingConns({ timeout: Infinity });
  const conn = pending.add();
  assertEquals([clock.timers, clock.delays], [0, []]);
  clock.pass(1e12);
  assertEquals(await ends([conn]), ["open"]);
});

test("PendingConns.delete() says whether the connection was pending, aborts its signal, and ends nothing", async () => {
  const pending = new PendingConns({ timeout: Infinity });
  const [one, other] = [pending.add(), pending.add()];
  assertEquals([one.signal.aborted, other.signal.aborted], [false, false]);
  assertStrictEquals(pending.delete(one), true);
  assertStrictEquals(pending.delete(one), false);
  assertEquals([one.signal.aborted, other.signal.aborted], [true, false]);
  assertEquals([await ends([one, other]), pending.size], [["open", "open"], 1]);
  pending.end(one, "left");
  assertEquals(await ends([one]), ["open"]);
});

test("PendingConns.end() ends one and endAll() the others, for the first reason that comes", async () => {
  using clock = new FakeClock();
  const pending = new PendingConns({ timeout: 100 });
  const conns = [pending.add(), pending.add(), pending.add()];
  pending.end(conns[1]!, "left");
  pending.end(conns[1]!, "timeout");
  assertEquals([await ends(conns), pending.size], [["open", "left", "open"], 2]);
  pending.endAll("closed");
  clock.pass(1_000);
  assertEquals([await ends(conns), pending.size], [["closed", "left", "closed"], 0]);
  assert(conns.every((conn) => conn.signal.aborted));
});
