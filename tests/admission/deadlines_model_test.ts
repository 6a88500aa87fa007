/**
 * Deadlines beside a naive model.
 *
 * @module
 */

import { test } from "node:test";
import { assert } from "@std/assert";
import type { TimeoutKind } from "@connlimit/connlimit";
import { ASKED, type Conn, Trial } from "../support/conns_with_deadlines.ts";

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
        const late = { firstByte: 300, idle: watch === ASKED ? 1_000 : 500, maxAge: 2_000 }[kind];
        assert(at >= due[kind] && at <= due[kind] + late, `${kind} at ${at}, due at ${due[kind]}`);
        model.delete(conn);
        checked++;
      }
      for (const [conn, { born, active, spoken }] of model) {
        const due = Math.min(
          spoken ? Infinity : born + 1.1 * firstByteTimeout,
          active + idleTimeout + 1_000,
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
