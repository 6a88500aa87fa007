/**
 * How long a dashboard and its limiters live.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertStringIncludes } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { dashboard } from "@connlimit/connlimit/dashboard";
import { eventually, within } from "../../testing/net.ts";
import { Canary } from "../support/canary.ts";
import { get, messages, ORIGIN, snapshotOf } from "../support/dashboard.ts";

const OPEN = { authorize: () => true } as const;

test("A dashboard lets go limiters that are garbage", async () => {
  const kept = new Limiter();
  const canary = new Canary();
  let shown = 0;
  const make = () => {
    const limiter = new Limiter();
    canary.watch(limiter);
    limiter.accept("192.0.2.7");
    return dashboard({ gone: limiter, kept }, { ...OPEN, interval: 250 });
  };
  using page = make();
  for await (const { limiters } of messages(await get(page, "events"))) {
    if (shown++ === 0) assertEquals(limiters.map(({ name }) => name), ["gone", "kept"]);
    await canary.collected();
    if (limiters.length === 1) {
      assertEquals(limiters[0]!.name, "kept");
      break;
    }
    assert(shown < 100, "the limiter should be gone from one of the first messages");
  }
});

test("A dashboard that nobody holds is garbage, and ends the rankings of its limiters", async () => {
  const limiter = new Limiter();
  const canary = new Canary();
  (() => canary.watch(dashboard({ chat: limiter }, { ...OPEN, interval: 250 })))();
  assert(limiter.top().refused !== null);
  await canary.collected();
  await eventually(() => limiter.top().refused === null, "the end of the ranking");
});

test("Disposing of a dashboard ends its viewers, its samples and the rankings of its limiters", async () => {
  const limiter = new Limiter();
  const page = dashboard({ chat: limiter }, OPEN);
  const viewer = (await get(page, "events")).text();
  page[Symbol.dispose]();
  page[Symbol.dispose]();
  assertStringIncludes(await within(viewer, "the end of the stream"), '"name":"chat"');
  assertStrictEquals(limiter.top().refused, null);
  assertEquals((await snapshotOf(page)).limiters, []);
  assertEquals((await page(new Request(`${ORIGIN}events`))).status, 503);
});
