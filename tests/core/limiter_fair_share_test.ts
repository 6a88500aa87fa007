import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter, type LimitsOptions, type Slot } from "@connlimit/connlimit";
import { refusedFor } from "../support/admissions.ts";

test("Limiter with a fair share lets a client have no more than its share of what is free, and the floor in any case", () => {
  const limiter = new Limiter({ maxTotal: 32, fairShare: true });
  const take = (peer: string) => {
    const slots: Slot[] = [];
    for (let admission; (admission = limiter.tryAccept(peer)).admitted;) slots.push(admission);
    return slots;
  };
  // An eighth of 32 free is the floor, so that each client has 4.
  const all = Array.from({ length: 8 }, (_, i) => take(`192.0.2.${i}`));
  assertEquals(all.map(({ length }) => length), new Array(8).fill(4));
  // A full limiter refuses for the total.
  assertEquals([refusedFor(limiter, "192.0.2.1"), refusedFor(limiter, "192.0.2.9")], ["total", "total"]);
  all.pop()!.forEach((slot) => slot.release());
  assertEquals([refusedFor(limiter, "192.0.2.1"), refusedFor(limiter, "192.0.2.9")], ["fair-share", undefined]);
  limiter.setLimits({ maxTotal: 32, fairShare: { share: 1, floor: 0 } });
  assertEquals([refusedFor(limiter, "192.0.2.1"), refusedFor(limiter, "192.0.2.9")], ["fair-share", undefined]);
  limiter.setLimits({ maxTotal: 32 });
  assertStrictEquals(refusedFor(limiter, "192.0.2.1"), undefined);
});

/** Hogs take all that they get. Then 200 polite clients want 4 each, so many of them at a time. */
function served(limits: LimitsOptions, hogs: number, atATime: number): number {
  const limiter = new Limiter(limits);
  for (let more = true; more;) {
    more = false;
    for (let hog = 0; hog < hogs; hog++) more = limiter.tryAccept({ key: `hog ${hog}` }).admitted || more;
  }
  let admitted = 0;
  for (let first = 0; first < 200; first += atATime) {
    const slots: Disposable[] = [];
    for (let polite = first; polite < first + atATime; polite++) {
      for (let i = 0; i < 4; i++) slots.push(limiter.tryAccept({ key: `polite ${polite}` }));
    }
    admitted += slots.filter((slot) => (slot as Slot).admitted).length;
    slots.forEach((slot) => slot[Symbol.dispose]());
  }
  return admitted / 800;
}

test("Limiter with a fair share serves the polite, eight at a time, beside up to 240 hogs, where without one ten lock them out", () => {
  const limits = { maxTotal: 1_000, maxPerClient: 100 };
  const table = [1, 3, 10, 30, 100, 150, 200, 240, 250, 300].map((hogs) =>
    [hogs, served(limits, hogs, 8), served({ ...limits, fairShare: true }, hogs, 8)] as const
  );
  for (const [hogs, without, withShare] of table) {
    if (hogs >= 10) assertStrictEquals(without, 0, `${hogs} hogs`);
    // More hogs than maxTotal / floor fill the server with their floors. No share of what is free helps then.
    if (hogs <= 240) assert(withShare >= 0.99, `${hogs} hogs: ${withShare}`);
    else assertStrictEquals(withShare, 0);
  }
});
