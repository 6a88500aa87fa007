/**
 * A rate and a dry run of limits on requests.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { Served } from "../support/http/served.ts";

test("limitRequests() says when the next request is due that came too early", async () => {
  await using server = new Served(() => new Response("ok"), { limits: { rate: { perSecond: 0.01, burst: 1 } } });
  using first = await server.ask("GET /");
  assertStrictEquals((await first.answer()).status, 200);
  using second = await server.ask("GET /");
  const { status, headers } = await second.answer();
  assertStrictEquals(status, 429);
  const wait = Number(headers.get("retry-after"));
  assertEquals([wait > 90, wait <= 100], [true, true], `${wait}`);
});

test("limitRequests() gives the answer of the user the time at which the next request is due", async () => {
  await using server = new Served(() => new Response("ok"), {
    limits: { rate: { perSecond: 0.01, burst: 1 } },
    options: { answer: ({ retryAfter }) => new Response(`in ${retryAfter! > 90 && retryAfter! <= 100}`) },
  });
  using first = await server.ask("GET /");
  await first.answer();
  using second = await server.ask("GET /");
  assertStrictEquals((await second.answer()).body, "in true");
});

for (const client of [undefined, () => undefined]) {
  const reason = client === undefined ? "client" : "unknown-address";
  test(`limitRequests() answers in a dry run as if there were no limits, also for the reason "${reason}"`, async () => {
    const told: unknown[] = [];
    await using server = new Served(() => new Response("ok"), {
      limits: { maxPerClient: 0, dryRun: true },
      options: { ...client && { client }, onRefused: ({ reason, dryRun }) => void told.push([reason, dryRun]) },
    });
    for (let i = 0; i < 3; i++) {
      using asked = await server.ask("GET /");
      const { status, body, headers } = await asked.answer();
      assertEquals([status, body, headers.get("retry-after")], [200, "ok", null]);
    }
    assertEquals(told, new Array(3).fill([reason, true]));
    const { refused, wouldRefuse } = server.limiter.stats();
    assertEquals([server.calls, refused, wouldRefuse[reason as "client"]], [3, 0, 3]);
    await server.limiter.idle();
  });
}
