/**
 * The limiters that `whenFull` can be used with.
 *
 * @module
 */

import { test } from "node:test";
import { assertStrictEquals, assertThrows } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { Evictor } from "../../src/admission/evictor.ts";
import { WaitingLimiter } from "../../src/admission/waiting_limiter.ts";

test("Evictor needs a Limiter, and so does WaitingLimiter", () => {
  const close = () => {};
  const own = { tryAccept: () => new Limiter().tryAccept("192.0.2.1") };
  // One that counts by a limiter, but decides elsewhere.
  const shared = { ...own, local: new Limiter(), limits: new Limiter().limits };
  for (const limiter of [own, shared]) {
    assertThrows(
      () => Evictor.of({ whenFull: "evict" }, limiter, { close }),
      TypeError,
      'whenFull must be "refuse" with a limiter that is not a Limiter, got "evict"',
    );
    assertThrows(
      () => WaitingLimiter.of(limiter),
      TypeError,
      'whenFull must be "refuse" with a limiter that is not a Limiter, got "wait"',
    );
  }
  for (const options of [{}, { whenFull: "wait" }]) assertStrictEquals(Evictor.of(options, own, { close }), undefined);
});
