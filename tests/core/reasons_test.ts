/**
 * The table of reasons is the only place that has them all.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter, LimitReachedError, type RefusalReason, RefusedError } from "@connlimit/connlimit";
import { refusedResponse, RESPONSES } from "../../src/admission/refusal_response.ts";
import { internalsOf } from "../../src/core/internals.ts";
import { byReason, REASONS } from "../../src/core/reasons.ts";
import { refusedError } from "../../src/core/refused_error.ts";
import { REFUSALS } from "../../src/core/slot.ts";

const reasons = Object.keys(REASONS) as RefusalReason[];

test("REASONS have the reasons that are documented, with their statuses", () => {
  const statuses = Object.entries(REASONS).map(([reason, { status, limit }]) => [reason, status, limit]);
  assertEquals(statuses, [
    ["client", 429, true],
    ["aggregate", 429, true],
    ["total", 503, true],
    ["fair-share", 429, true],
    ["rate", 429, true],
    ["blocked", 403, false],
    ["unknown-address", 403, false],
    ["pending", 503, true],
    ["timeout", 503, false],
    ["unavailable", 503, false],
    ["untrusted-peer", 403, false],
    ["proxy-header", 403, false],
  ]);
});

test("byReason() has a value for each reason, and nothing else", () => {
  const record: Record<string, number> = byReason((reason) => reason.length);
  assertEquals(record, Object.fromEntries(reasons.map((reason) => [reason, reason.length])));
  assertEquals(Object.keys(record), reasons);
});

test("Limiter.stats() counts refusals by exactly the reasons of the table", () => {
  const limiter = new Limiter();
  const { counts } = internalsOf(limiter)!;
  assertEquals(limiter.stats().refusedBy, byReason(() => 0));
  for (const [at, reason] of reasons.entries()) {
    for (let i = 0; i <= at; i++) assertStrictEquals(counts.refuse(reason), REFUSALS[reason]);
  }
  const { refused, refusedBy } = limiter.stats();
  assertEquals(Object.keys(refusedBy), reasons);
  assertEquals(Object.values(refusedBy), reasons.map((_, at) => at + 1));
  assertStrictEquals(refused, reasons.length * (reasons.length + 1) / 2);
});

test("every reason has one frozen refusal", () => {
  assertEquals(Object.keys(REFUSALS), reasons);
  for (const reason of reasons) {
    const refusal = REFUSALS[reason];
    assertEquals([refusal.admitted, refusal.reason, Object.isFrozen(refusal)], [false, reason, true]);
    assertStrictEquals(refusal[Symbol.dispose](), undefined);
  }
});

test("every reason has an error, which says whether a limit is reached", () => {
  for (const reason of reasons) {
    const error = refusedError(reason);
    assert(error instanceof RefusedError);
    assertEquals([error.reason, error instanceof LimitReachedError], [reason, REASONS[reason].limit]);
    assert(error.message !== "" && !error.message.includes("undefined"), error.message);
  }
});

test("every reason has a response of its status", async () => {
  assertEquals(Object.keys(RESPONSES), reasons);
  for (const reason of reasons) {
    const { status } = REASONS[reason];
    const response = refusedResponse(reason);
    const { text } = RESPONSES[reason];
    assertEquals([RESPONSES[reason].status, response.status, await response.text()], [status, status, `${text}\n`]);
    assertStrictEquals(response.headers.get("retry-after"), status === 403 ? null : "1");
    assertStrictEquals(response.headers.get("connection"), "close");
  }
});
