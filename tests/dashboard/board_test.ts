/**
 * What a dashboard holds and sends, while clients flood its limiter.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { Board } from "../../src/dashboard/board.ts";
import { SAMPLES } from "../../src/dashboard/history.ts";
import { encodeMessage } from "../../src/dashboard/viewers.ts";
import { heapUsed } from "../../testing/memory.ts";
import { eventually } from "../../testing/net.ts";

/** A board that never ticks by itself. */
function boardOf(limiters: Record<string, Limiter>): Board {
  return new Board(limiters, { authorize: "loopback", interval: 2 ** 30, top: 10, maxViewers: 100 });
}

test("A board with viewers under a flood of a hundred thousand keys holds as much as before", async () => {
  const limiter = new Limiter({ maxPerClient: 0 });
  using board = boardOf({ chat: limiter });
  const readers = Array.from({ length: 10 }, () => board.viewers.add(encodeMessage(board.snapshot())).getReader());
  const flood = async () => {
    for (let i = 0; i < 100_000; i++) {
      limiter.tryAccept({ key: `one of many: ${i}` });
      if (i % 50 === 0) limiter.tryAccept({ key: "the worst" });
      if (i % 250 > 0) continue;
      board.tick();
      // One of them never reads.
      for (const reader of readers.slice(1)) await reader.read();
    }
  };
  await flood();
  const before = heapUsed();
  for (let i = 0; i < 3; i++) await flood();
  // One collection need not be enough on Bun. What leaks is never collected.
  await eventually(() => (heapUsed() - before) / 2 ** 20 < 4, "the heap to be as small as before");
  assertEquals(board.viewers.size, 9);
  const { limiters: [{ history, top }] } = JSON.parse(board.snapshot());
  assertEquals(history.open.length, SAMPLES);
  assertEquals(history.refused.client.length, SAMPLES);
  assertEquals(limiter.stats().refused, 408_000);
  assertEquals(top.refused.length, 10);
  for (const reader of readers) await reader.cancel();
});

test("A snapshot is encoded once for all who ask in the same moment", () => {
  const limiter = new Limiter();
  using board = boardOf({ chat: limiter });
  const first = board.snapshot();
  using _ = limiter.accept("192.0.2.7");
  assertEquals(board.snapshot(), first);
});
