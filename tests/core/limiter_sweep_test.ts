/**
 * Before a refusal the limiter has those sweep who may find slots of connections that have ended unnoticed.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { internalsOf } from "../../src/core/internals.ts";
import { acceptAll, refusedFor } from "../support/admissions.ts";

test("Limiter.tryAccept() tries once more where a sweep has released a slot, and sweeps for refusals alone", () => {
  const limiter = new Limiter({ maxPerClient: 2 });
  const { sweeps } = internalsOf(limiter)!.counts;
  const slots = acceptAll(limiter, "192.0.2.7", 2);
  const ended = [slots[0]!];
  let calls = 0;
  sweeps.add(() => void calls++);
  sweeps.add(() => ended.pop()?.release());
  acceptAll(limiter, "192.0.2.8", 2);
  assertStrictEquals(calls, 0);
  acceptAll(limiter, "192.0.2.7", 1);
  assertEquals([calls, limiter.open, limiter.stats().refused], [1, 4, 0]);
  refusedFor(limiter, "192.0.2.7");
  assertEquals([calls, limiter.open, limiter.stats().refused], [2, 4, 1]);
});

test("Limiter.tryAccept() still refuses where a sweep has released the slots of others", () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  const [other] = acceptAll(limiter, "192.0.2.8", 1);
  acceptAll(limiter, "192.0.2.7", 1);
  internalsOf(limiter)!.counts.sweeps.add(() => other!.release());
  refusedFor(limiter, "192.0.2.7");
  assertEquals([limiter.open, limiter.stats().refusedBy.client], [1, 1]);
});
