/**
 * Deadlines, by a clock that the tests move.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import type { Timeout } from "@connlimit/connlimit";
import { Deadlines } from "../../src/admission/deadlines.ts";
import { ASKED, type Conn, Trial } from "../support/conns_with_deadlines.ts";

test("Deadlines are none where no option asks for one", () => {
  const watch = { close() {} };
  assertEquals(Deadlines.of({}, {}, watch), undefined);
  assertEquals(Deadlines.of({ firstByteTimeout: Infinity, maxAge: Infinity, onTimeout() {} }, {}, watch), undefined);
});

for (const time of [100, 5_000, 60_000, 3_600_000, 2 ** 31 - 1]) {
  test(`Deadlines close what says nothing, is idle or too old after ${time} ms or a little later`, () => {
    const silent = new Trial({ firstByteTimeout: time });
    silent.add();
    silent.clock.pass(2 * time);
    silent.closed("firstByte", time);

    for (const watch of [{}, ASKED]) {
      const idle = new Trial({ idleTimeout: time }, watch);
      const conn = idle.add();
      idle.clock.pass(time * 0.7);
      idle.deadlines.touch(conn.at, true);
      conn.bytes += watch === ASKED ? 1 : 0;
      idle.clock.pass(2 * time);
      idle.closed("idle", 1.7 * time, watch === ASKED ? Math.max(time / 10, Math.min(time / 3, 1_000)) : time / 10);
    }

    const old = new Trial({ maxAge: time });
    const conn = old.add();
    old.steps(19, time / 10, () => old.deadlines.touch(conn.at, true));
    old.closed("maxAge", time);
  });
}

test("Deadlines leave open what has spoken and dribbles, until it is too old", () => {
  for (const watch of [{}, ASKED]) {
    const trial = new Trial({ firstByteTimeout: 2_000, idleTimeout: 2_000, maxAge: 20_000 }, watch);
    const conn = trial.add();
    trial.steps(12, 1_800, () => {
      if (trial.cut.length > 0) return;
      if (watch !== ASKED) return trial.deadlines.touch(conn.at, true);
      conn.bytes++;
      conn.spoken = true;
    });
    trial.closed("maxAge", 20_000);
  }
});

test("Deadlines take what only the server writes for activity, and not for a first byte", () => {
  const trial = new Trial({ firstByteTimeout: 5_000, idleTimeout: 1_000 });
  const conn = trial.add();
  trial.steps(9, 900, () => trial.cut.length === 0 && trial.deadlines.touch(conn.at, false));
  trial.closed("firstByte", 5_000);
});

test("Deadlines count from the accept where a connection was pending, except idleTimeout", () => {
  const trial = new Trial({ firstByteTimeout: 1_000 });
  trial.add(600);
  trial.clock.pass(2_000);
  trial.closed("firstByte", 400, 100);

  const late = new Trial({ maxAge: 1_000 });
  late.add(5_000);
  late.clock.pass(1_000);
  assertEquals(late.cut.map(([kind]) => kind), ["maxAge"]);

  const idle = new Trial({ idleTimeout: 1_000 });
  idle.add(900);
  idle.clock.pass(2_000);
  idle.closed("idle", 1_000);
});

test("Deadlines have one timer for all connections, while there are any", () => {
  const trial = new Trial({ idleTimeout: 60_000 });
  assertEquals(trial.clock.running, false);
  const conns = [trial.add(), trial.add(), trial.add()];
  assertEquals([trial.clock.running, trial.clock.period], [true, 500]);
  for (const { at } of conns) trial.deadlines.delete(at);
  assertEquals([trial.clock.running, trial.clock.started], [false, 1]);
  trial.clock.pass(100_000);
  const conn = trial.add();
  trial.clock.pass(59_000);
  assertEquals(trial.cut, []);
  trial.deadlines.delete(conn.at);
  assertEquals([trial.clock.running, trial.clock.started], [false, 2]);
});

test("Deadlines ask a connection for its activity twelve times in a long idleTimeout, and not more often", () => {
  let asked = 0;
  const trial = new Trial({ idleTimeout: 60_000 }, { activityOf: ({ bytes }) => (asked++, bytes) });
  const conn = trial.add();
  trial.steps(600, 1_000, () => conn.bytes++);
  assert(asked >= 100 && asked <= 130, `asked ${asked} times in 10 minutes`);
});

test("Deadlines look at a connection that tells of its activity once in idleTimeout", () => {
  let looks = 0;
  const trial = new Trial({ idleTimeout: 60_000 }, { chargeOf: () => (looks++, "ours") });
  const conn = trial.add();
  trial.steps(600, 1_000, () => trial.deadlines.touch(conn.at, true));
  assert(looks <= 12, `${looks} looks in 10 minutes`);
});

test("Deadlines do not cut what is busy, and begin anew with what was another's", () => {
  const trial = new Trial({ idleTimeout: 1_000 }, { chargeOf: ({ charge }) => charge });
  const conn = trial.add();
  conn.charge = "busy";
  trial.clock.pass(5_000);
  assertEquals(trial.cut, []);
  conn.charge = "theirs";
  trial.clock.pass(5_000);
  conn.charge = "ours";
  trial.clock.pass(5_000);
  assertEquals(trial.cut, []);
  trial.deadlines.restart(conn.at);
  trial.clock.pass(2_000);
  trial.closed("idle", 16_000);
});

test("Deadlines do not count the time in which the process does not get to run", () => {
  for (const kind of ["firstByteTimeout", "idleTimeout", "maxAge"] as const) {
    const trial = new Trial({ [kind]: 10_000 });
    trial.add();
    trial.clock.pass(5_000);
    trial.clock.block(3_600_000);
    trial.clock.pass(3_000);
    assertEquals(trial.cut, []);
    trial.clock.pass(3_000);
    assertEquals(trial.cut.length, 1);
  }
});

test("Deadlines tell onTimeout before the close, and leave alone what it has closed", () => {
  const told: [Timeout, Conn][] = [];
  const trial = new Trial({
    maxAge: 100,
    onTimeout: (timeout: Timeout, conn: never) => void told.push([timeout, conn]),
  });
  const conn = trial.add();
  trial.clock.pass(200);
  assertEquals(told, [[{ kind: "maxAge" }, conn]]);
  assert(Object.isFrozen(told[0]![0]));
  trial.closed("maxAge", 100);

  const closing: Trial = new Trial({
    maxAge: 100,
    onTimeout: (_: Timeout, conn: Conn) => void closing.deadlines.delete(conn.at),
  });
  closing.add();
  closing.clock.pass(200);
  assertEquals([closing.cut, closing.deadlines.size, closing.clock.running], [[], 0, false]);
  assertEquals(closing.limiter.stats().timedOut.maxAge, 1);
});

test("Deadlines report what onTimeout and a close throw, and go on", () => {
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  const fail = (what: string) => () => {
    throw what;
  };
  const options = { maxAge: 100, onTimeout: fail("hook"), onError };
  const close = (conn: Conn) => {
    trial.deadlines.delete(conn.at);
    fail("close")();
  };
  const trial = new Trial(options, { close });
  trial.add();
  trial.add();
  trial.clock.pass(200);
  assertEquals([errors, trial.deadlines.size], [["hook", "close", "hook", "close"], 0]);
});

test("Deadlines let a hook end other connections, and begin with new ones, in the middle of a tick", () => {
  let added = 0;
  const conns: Conn[] = [];
  const onTimeout = () => {
    const other = conns.find(({ at }) => at >= 0 && at !== conns[0]!.at);
    if (other === undefined || added >= 5) return;
    trial.deadlines.delete(other.at);
    other.at = -1;
    added++;
    conns.push(trial.add());
  };
  const trial = new Trial({ maxAge: 1_000, onTimeout });
  for (let i = 0; i < 10; i++) conns.push(trial.add());
  trial.clock.pass(1_100);
  assertEquals([trial.cut.length + added, trial.deadlines.size], [10, added]);
  trial.clock.pass(1_100);
  assertEquals([trial.deadlines.size, trial.clock.running], [0, false]);
});

test("Deadlines are never early, however late the process gets to count the time", () => {
  for (const lag of [0, 10, 40, 62, 63, 100]) {
    const trial = new Trial({ idleTimeout: 1_000 });
    const conn = trial.add();
    trial.clock.pass(500);
    trial.clock.idle(lag);
    trial.deadlines.touch(conn.at, true);
    const since = trial.clock.now();
    while (trial.cut.length === 0) trial.clock.pass(1);
    const took = trial.clock.now() - since;
    assert(took >= 1_000 && took <= 1_200, `closed ${took} ms after a byte that came ${lag} ms into a tick`);
  }
});
