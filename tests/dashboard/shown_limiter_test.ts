/**
 * Limiters with hostile clients, and with many.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { dashboard } from "@connlimit/connlimit/dashboard";
import { ShownLimiter } from "../../src/dashboard/shown_limiter.ts";
import { explanationOf, get, snapshotOf } from "../support/dashboard.ts";

const OPEN = { authorize: () => true } as const;

/** Keys that have broken pages, logs and terminals. */
const HOSTILE = [
  "<script>alert(1)</script>",
  "</script><img src=x onerror=alert(1)>",
  "data: forged\n\nevent: other",
  "a\u0000b\u001b[2Jc\u202ed\u2028e",
  "\ud800 alone",
  '"; alert(1); "',
  "__proto__",
  "x".repeat(10_000),
];

test("Hostile keys are short and printable wherever they are shown, and do not end a message", async () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  using page = dashboard({ [HOSTILE[0]!]: limiter, [HOSTILE[2]!]: limiter }, { ...OPEN, top: 100 });
  for (const key of HOSTILE) for (let i = 0; i < 3; i++) limiter.tryAccept({ key });
  const text = await (await get(page, "stats.json")).text();
  assert(text.length < 20_000, `${text.length} characters`);
  assertEquals(text.match(/[^ -~…]/gu), null);
  const { limiters } = JSON.parse(text);
  for (const { name, top } of limiters) {
    assert(name.length < 100);
    assertEquals([top.open.length, top.refused.length], [HOSTILE.length, HOSTILE.length]);
    for (const { client } of [...top.open, ...top.refused]) assert(client.length <= 6 * 65, client);
  }
  const reader = (await get(page, "events")).body!.getReader();
  const message = new TextDecoder().decode((await reader.read()).value);
  await reader.cancel();
  assertEquals(message.split("\n").map((line) => line.slice(0, 6)), ["retry:", "data: ", "", ""]);

  // No address can carry half of a surrogate pair.
  for (const key of HOSTILE.filter((key) => !key.startsWith("\ud800"))) {
    const explanation = await explanationOf(page, { key });
    assertEquals([explanation.reason, explanation.levels[0]!.open], ["client", 1]);
    assert(JSON.stringify(explanation).length < 2_000);
  }
});

test("A hundred thousand clients make no snapshot larger, and are ranked in one percent of the time at most", async () => {
  const limiter = new Limiter({ maxPerClient: 2 });
  for (let i = 0; i < 100_000; i++) limiter.tryAccept({ key: `key ${i} ${"x".repeat(80)}` });
  for (let i = 0; i < 3; i++) limiter.tryAccept({ key: "greedy" });
  using page = dashboard({ chat: limiter }, OPEN);
  const [shown] = (await snapshotOf(page)).limiters;
  assertEquals(shown!.stats.clients, 100_001);
  assertEquals([shown!.top!.open.length, shown!.top!.open[0]!.client], [10, "greedy"]);
  assert(JSON.stringify(shown).length < 5_000);

  using alone = new ShownLimiter("chat", limiter, 10, 2_000);
  const start = performance.now();
  const { top } = alone.view()!;
  const cost = performance.now() - start;
  assertStrictEquals(alone.view()!.top, top, `ranked again at once, though it takes ${cost} ms`);
});
