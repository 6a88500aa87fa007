/**
 * A sweep before a refusal.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { type Admission, Limiter } from "@connlimit/connlimit";
import { sweeping } from "../../src/http/sweep.ts";

test("sweeping() tries once more where a sweep has released slots, and counts one answer", () => {
  const limiter = new Limiter({ maxPerClient: 1, networks: { "10.0.0.0/8": { maxPerClient: 0 } } });
  const [ended] = [limiter.accept("2001:db8::7")];
  const asked: [reason: string, client: string][] = [];
  const nothing = (reason: string, client: () => string) => {
    asked.push([reason, client()]);
    return false;
  };
  assertStrictEquals((sweeping(limiter, nothing).tryAccept("2001:db8::7") as Admission).admitted, false);
  assertStrictEquals((sweeping(limiter, nothing).tryAccept("10.0.0.1") as Admission).admitted, false);
  assertStrictEquals((sweeping(limiter, nothing).tryAccept("none") as Admission).admitted, false);
  assertStrictEquals((sweeping(limiter, nothing).tryAccept("192.0.2.7") as Admission).admitted, true);
  assertEquals(asked, [["client", "2001:db8::/64"], ["blocked", "10.0.0.1"], ["unknown-address", ""]]);
  const sweep = () => {
    ended!.release();
    return true;
  };
  assertStrictEquals((sweeping(limiter, sweep).tryAccept("2001:db8::7") as Admission).admitted, true);
  assertStrictEquals((sweeping(limiter, () => true).tryAccept("2001:db8::7") as Admission).admitted, false);
  const { admitted, refused } = limiter.stats();
  assertEquals([admitted, refused], [3, 4]);
});
