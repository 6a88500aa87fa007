/**
 * The timing wheel.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { REACH, TimingWheel } from "../../src/admission/timing_wheel.ts";

test("TimingWheel takes entries out when they are due, and those that are too far as far as it reaches", () => {
  const wheel = new TimingWheel();
  const ticks = [1, 0, 2, 2, REACH - 1, REACH, 10 * REACH, Infinity];
  const due = new Map<number, number>();
  const entries = ticks.map((tick) => {
    const entry = wheel.take();
    wheel.insert(entry, tick);
    return entry;
  });
  for (let tick = 1; tick <= 2 * REACH; tick++) wheel.tick((entry) => due.set(entry, tick));
  assertEquals(entries.map((entry) => due.get(entry)), [1, 1, 2, 2, REACH - 1, REACH - 1, REACH - 1, REACH - 1]);
});

test("TimingWheel keeps each of many entries, which leave and come back, in the tick that it is due", () => {
  const wheel = new TimingWheel();
  const due = new Map<number, number>();
  let seed = 1;
  const random = (below: number) => Math.floor((seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647 * below);
  let now = 0;
  for (; now < 3 * REACH; now++) {
    for (let i = 0; i < 20; i++) {
      const entry = wheel.take();
      assertEquals(due.has(entry), false);
      const ticks = 1 + random(REACH - 1);
      wheel.insert(entry, ticks);
      due.set(entry, now + ticks);
    }
    const [some] = due.keys();
    const back = [...due.keys()][random(due.size)]!;
    wheel.giveBack(back);
    due.delete(back);
    if (some !== undefined && due.has(some)) {
      wheel.remove(some);
      wheel.insert(some, 5);
      due.set(some, now + 5);
    }
    const seen: number[] = [];
    wheel.tick((entry) => seen.push(entry));
    assertEquals(
      seen.toSorted((one, other) => one - other),
      [...due].filter(([, at]) => at === now + 1).map(([entry]) => entry).toSorted((one, other) => one - other),
    );
    for (const entry of seen) {
      due.delete(entry);
      wheel.giveBack(entry);
    }
  }
  // The numbers are used again.
  assertEquals(wheel.end < REACH + 20 * REACH, true);
});
