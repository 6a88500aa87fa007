/**
 * A sweep before a refusal.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { type Admission, Limiter, type Peer } from "@connlimit/connlimit";
import { internalsOf } from "../../src/core/internals.ts";
import { observe } from "../../src/admission/observe.ts";
import { REFUSALS } from "../../src/core/slot.ts";
import { sweeping } from "../../src/http/sweep.ts";
import { SlowAdmitter } from "../support/slow_admitter.ts";

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

test("sweeping() returns the limiter itself where nothing can be swept", () => {
  const limiter = new Limiter();
  assertStrictEquals(sweeping(limiter, undefined), limiter);
  const foreign = { tryAccept: () => limiter.accept("192.0.2.7") };
  assertStrictEquals(sweeping(foreign, () => true), foreign);
  const slow = new SlowAdmitter();
  assertStrictEquals(sweeping(slow, () => true), slow);
});

test("sweeping() does not sweep for what is admitted, and counts and observes as the limiter does", () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  const refused: [reason: string, peer: unknown][] = [];
  const nothing = () => {};
  observe(limiter, {
    admitted: nothing,
    released: nothing,
    refused: (reason, peer) => void refused.push([reason, peer]),
  });
  let sweeps = 0;
  const sweeper = sweeping(limiter, () => ++sweeps > 0);
  assertStrictEquals((sweeper.tryAccept("192.0.2.7") as Admission).admitted, true);
  assertStrictEquals(sweeps, 0);
  assertStrictEquals(sweeper.tryAccept("192.0.2.7"), REFUSALS.client);
  // It sweeps once, even where that was of no use.
  assertEquals([sweeps, refused], [1, [["client", "192.0.2.7"]]]);
  assertStrictEquals(internalsOf(sweeper)!.counts, internalsOf(limiter)!.counts);
});

test("sweeping() asks a tryAccept() that a user has put in place of the limiter's own", () => {
  class Blocking extends Limiter {
    override tryAccept(peer: Peer) {
      return super.tryAccept(peer === "192.0.2.7" ? {} : peer);
    }
  }
  const admitter = sweeping(new Blocking(), () => true);
  assertStrictEquals((admitter.tryAccept("192.0.2.7") as Admission).admitted, false);
  assertStrictEquals((admitter.tryAccept("192.0.2.8") as Admission).admitted, true);
});
