/**
 * Open connections with deadlines.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import type { Deadline, Watch } from "../../src/admission/deadlines.ts";
import { OPEN_CONN, OpenConn, OpenConns, type Recorded } from "../../src/admission/open_conn.ts";
import { TimedConns } from "../../src/admission/timed_conns.ts";
import { HandClock } from "../support/hand_clock.ts";

const WATCH: Watch<OpenConn> = { close: (record) => record.end() };

/** A list whose connections have deadlines, and what opens one. */
function trial(options: Deadline, waited = 0) {
  const clock = new HandClock();
  const limiter = new Limiter();
  const list = TimedConns.of(options, limiter, WATCH, { waited }, clock);
  const open = (conn: Recorded = {}) => {
    OpenConn.bind(conn, limiter.accept("192.0.2.7"), list);
    return conn[OPEN_CONN]!;
  };
  return { clock, limiter, list, open };
}

test("TimedConns are plain ones where no deadline is asked for", () => {
  const { list } = trial({ idleTimeout: Infinity });
  assertEquals(list.constructor, OpenConns);
});

test("TimedConns close connections at their deadlines, and free their slots once", () => {
  const { clock, limiter, list, open } = trial({ idleTimeout: 1_000 });
  const [first, second] = [open(), open()];
  clock.pass(700);
  second.touch(true);
  clock.pass(400);
  assertEquals([first.ended, second.ended, limiter.open, list.size], [true, false, 1, 1]);
  first.end();
  second.end();
  second.touch(true);
  assertEquals([limiter.open, list.size, clock.running, limiter.stats().timedOut.idle], [0, 0, false, 1]);
});

test("TimedConns of several limiters all see the bytes of a connection", () => {
  const [inner, outer] = [trial({ idleTimeout: 1_000 }), trial({ idleTimeout: 3_000 })];
  const conn: Recorded = {};
  inner.open(conn);
  outer.open(conn);
  for (let i = 0; i < 5; i++) {
    inner.clock.pass(900);
    outer.clock.pass(900);
    conn[OPEN_CONN]!.touch(true);
  }
  assertEquals([inner.limiter.open, outer.limiter.open], [1, 1]);
  outer.clock.pass(3_300);
  assertEquals([outer.limiter.open, outer.limiter.stats().timedOut.idle, conn[OPEN_CONN]!.ended], [0, 1, true]);
  // As the close of a real connection does, it has ended both.
  assertEquals([inner.limiter.open, inner.limiter.stats().timedOut.idle, inner.clock.running], [0, 0, false]);
});

test("TimedConns count the time for which a connection was pending", () => {
  const { clock, limiter, open } = trial({ firstByteTimeout: 1_000 }, 800);
  open();
  clock.pass(300);
  assertEquals(limiter.stats().timedOut.firstByte, 1);
});
