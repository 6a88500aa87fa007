/**
 * Deadlines, by a clock that the tests move.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import type { Timeout, TimeoutKind } from "@connlimit/connlimit";
import type { DeadlineOptions } from "../../src/admission/deadline_options.ts";
import { type Charge, Deadlines, type Watch } from "../../src/admission/deadlines.ts";
import type { ErrorHook } from "../../src/admission/hooks.ts";
import { HandClock } from "../support/hand_clock.ts";

/** A connection, and what the deadlines ask of it. */
class Conn {
  at = -1;
  bytes = 0;
  spoken = false;
  charge: Charge = "ours";
}

type Options = DeadlineOptions<never> & { readonly onError?: ErrorHook };

/** Deadlines of connections, and what has become of them. */
class Trial {
  readonly clock = new HandClock();
  readonly limiter = new Limiter();
  /** The connections that were closed, with the kinds and the times. */
  readonly cut: [TimeoutKind, number][] = [];
  readonly deadlines: Deadlines<Conn>;
  readonly #start = this.clock.now();

  constructor(options: Options, watch: Partial<Watch<Conn>> = {}) {
    const close = (conn: Conn, kind: TimeoutKind) => {
      this.cut.push([kind, this.clock.now() - this.#start]);
      this.deadlines.delete(conn.at);
    };
    this.deadlines = Deadlines.of<Conn>(options, this.limiter, { close, ...watch }, this.clock)!;
  }

  add(waited = 0): Conn {
    const conn = new Conn();
    conn.at = this.deadlines.add(conn, waited);
    return conn;
  }

  /** Lets time pass in steps, with something after each. */
  steps(count: number, milliseconds: number, step: () => void): void {
    for (; count > 0; count--) {
      this.clock.pass(milliseconds);
      step();
    }
  }

  /** Checks that one connection was closed, at a time or up to a tenth later. */
  closed(kind: TimeoutKind, after: number): void {
    assertEquals(this.cut.map(([kind]) => kind), [kind]);
    const [[, at]] = this.cut as [[TimeoutKind, number]];
    assert(at >= after && at <= after * 1.1, `closed after ${at} ms, not ${after}`);
    assertEquals(this.limiter.stats().timedOut, { firstByte: 0, idle: 0, maxAge: 0, [kind]: 1 });
    assertEquals([this.deadlines.size, this.clock.running], [0, false]);
  }
}

/** What is asked for activity, in place of being told. */
const ASKED: Partial<Watch<Conn>> = { activityOf: ({ bytes }) => bytes, hasSpoken: ({ spoken }) => spoken };

test("Deadlines are none where no option asks for one", () => {
  const watch = { close() {} };
  assertEquals(Deadlines.of({}, {}, watch), undefined);
  assertEquals(Deadlines.of({ firstByteTimeout: Infinity, maxAge: Infinity, onTimeout() {} }, {}, watch), undefined);
});

for (const time of [100, 5_000, 60_000, 3_600_000, 2 ** 31 - 1]) {
  test(`Deadlines close what says nothing, is idle or too old after ${time} ms, and at most a tenth later`, () => {
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
      idle.closed("idle", 1.7 * time);
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
  trial.closed("firstByte", 400);

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

test("Deadlines ask a connection for its activity ten times in idleTimeout, and not more often", () => {
  let asked = 0;
  const trial = new Trial({ idleTimeout: 60_000 }, { activityOf: ({ bytes }) => (asked++, bytes) });
  const conn = trial.add();
  trial.steps(600, 1_000, () => conn.bytes++);
  assert(asked >= 99 && asked <= 130, `asked ${asked} times in 10 minutes`);
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

test("Deadlines close each of 3,000 random connections as a naive model does", () => {
  let seed = 1;
  const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  const [firstByteTimeout, idleTimeout, maxAge] = [3_000, 5_000, 20_000] as const;
  for (const watch of [{}, ASKED]) {
    const model = new Map<Conn, { born: number; active: number; spoken: boolean }>();
    const ended: [Conn, TimeoutKind, number][] = [];
    const close = (conn: Conn, kind: TimeoutKind) => {
      ended.push([conn, kind, trial.clock.now()]);
      trial.deadlines.delete(conn.at);
    };
    const trial = new Trial({ firstByteTimeout, idleTimeout, maxAge }, { ...watch, close });
    let checked = 0;
    while (checked < 3_000) {
      trial.clock.pass(1 + Math.floor(random() * 40));
      const now = trial.clock.now();
      for (const [conn, kind, at] of ended.splice(0)) {
        const { born, active, spoken } = model.get(conn)!;
        const due = {
          firstByte: spoken ? Infinity : born + firstByteTimeout,
          idle: active + idleTimeout,
          maxAge: born + maxAge,
        };
        const late = { firstByte: 300, idle: 500, maxAge: 2_000 }[kind];
        assert(at >= due[kind] && at <= due[kind] + late, `${kind} at ${at}, due at ${due[kind]}`);
        model.delete(conn);
        checked++;
      }
      for (const [conn, { born, active, spoken }] of model) {
        const due = Math.min(
          spoken ? Infinity : born + 1.1 * firstByteTimeout,
          active + 1.1 * idleTimeout,
          born + 1.1 * maxAge,
        );
        assert(now <= due + 1, `open at ${now}, due at ${due}`);
        if (random() > 0.02) continue;
        const read = random() < 0.5;
        const known = model.get(conn)!;
        if (random() < 0.1) {
          trial.deadlines.delete(conn.at);
          model.delete(conn);
          checked++;
          continue;
        }
        known.active = now;
        known.spoken ||= read;
        if (watch !== ASKED) trial.deadlines.touch(conn.at, read);
        conn.bytes++;
        conn.spoken ||= read;
      }
      for (let i = 0; i < 8; i++) {
        const conn = trial.add();
        model.set(conn, { born: now, active: now, spoken: false });
      }
    }
  }
});
