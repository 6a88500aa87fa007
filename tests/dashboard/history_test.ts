/**
 * The samples of a limiter.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { Limiter, type LimitsOptions } from "@connlimit/connlimit";
import { History, SAMPLES } from "../../src/dashboard/history.ts";

/** A limiter, and its samples. */
function sampled(limits: LimitsOptions) {
  const limiter = new Limiter(limits);
  const history = new History(2_000);
  return { limiter, add: () => history.add(limiter.stats()), view: () => history.view() };
}

test("History has what is open at each sample, and what was refused since the one before", () => {
  const { limiter, add, view } = sampled({ maxPerClient: 1 });
  const refuse = (times: number, peer: string) => {
    for (let i = 0; i < times; i++) limiter.tryAccept(peer);
  };
  using _ = limiter.accept("192.0.2.7");
  refuse(5, "192.0.2.7"); // before the first sample
  add();
  add();
  refuse(2, "192.0.2.7");
  refuse(3, "nobody");
  add();
  refuse(1, "192.0.2.7");
  add();
  assertEquals(view(), {
    interval: 2_000,
    open: [1, 1, 1, 1],
    refused: { "client": [0, 0, 2, 1], "unknown-address": [0, 0, 3, 0] },
  });
});

test("History has what would have been refused in a dry run", () => {
  const { limiter, add, view } = sampled({ maxPerClient: 0, dryRun: true });
  add();
  limiter.tryAccept("192.0.2.7");
  add();
  assertEquals(view().refused, { "client": [0, 1] });
});

test("History keeps the last samples, and forgets reasons of which there are none", () => {
  const { limiter, add, view } = sampled({ maxPerClient: 0 });
  add();
  limiter.tryAccept("192.0.2.7");
  limiter.tryAccept("nobody");
  add();
  for (let i = 0; i < SAMPLES - 2; i++) add();
  assertEquals(view().open.length, SAMPLES);
  assertEquals(view().refused["blocked"]?.length ?? view().refused["client"]?.length, SAMPLES);
  add();
  assertEquals(Object.keys(view().refused).length, 2, "the second sample is the oldest now");
  limiter.tryAccept("nobody");
  add();
  assertEquals(Object.keys(view().refused), ["unknown-address"]);
  assertEquals(view().refused["unknown-address"]!.reduce((sum, count) => sum + count), 1);
});
