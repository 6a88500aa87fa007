/**
 * A sweep before a refusal.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Limiter, type Peer } from "@connlimit/connlimit";
import { internalsOf } from "../../src/core/internals.ts";
import { observe } from "../../src/admission/observe.ts";
import { REFUSALS } from "../../src/core/slot.ts";
import type { Sweep } from "../../src/core/counts.ts";

/** Lets a limiter sweep by this and nothing else. */
function sweeping(limiter: Limiter, sweep: Sweep): Limiter {
  const { sweeps } = internalsOf(limiter)!.counts;
  sweeps.clear();
  sweeps.add(sweep);
  return limiter;
}

test("Limiter.tryAccept() tries once more where a sweep has released slots, and counts one answer", () => {
  const limiter = new Limiter({ maxPerClient: 1, networks: { "10.0.0.0/8": { maxPerClient: 0 } } });
  const [ended] = [limiter.accept("2001:db8::7")];
  const asked: [reason: string, client: string][] = [];
  const nothing = (reason: string, client: () => string) => {
    asked.push([reason, client()]);
    return false;
  };
  assertStrictEquals(sweeping(limiter, nothing).tryAccept("2001:db8::7").admitted, false);
  assertStrictEquals(sweeping(limiter, nothing).tryAccept("10.0.0.1").admitted, false);
  assertStrictEquals(sweeping(limiter, nothing).tryAccept("none").admitted, false);
  assertStrictEquals(sweeping(limiter, nothing).tryAccept("192.0.2.7").admitted, true);
  assertEquals(asked, [["client", "2001:db8::/64"], ["blocked", "10.0.0.1"], ["unknown-address", ""]]);
  const sweep = () => {
    ended!.release();
    return true;
  };
  assertStrictEquals(sweeping(limiter, sweep).tryAccept("2001:db8::7").admitted, true);
  assertStrictEquals(sweeping(limiter, () => true).tryAccept("2001:db8::7").admitted, false);
  const { admitted, refused } = limiter.stats();
  assertEquals([admitted, refused], [3, 4]);
});

test("Limiter.tryAccept() sweeps everything that shares the limiter, and each once", () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  const ended = limiter.accept("192.0.2.7");
  const { sweeps } = internalsOf(limiter)!.counts;
  const swept: string[] = [];
  for (const name of ["first", "second", "third"]) {
    sweeps.add(() => {
      swept.push(name);
      if (name === "first") ended.release();
      return name === "first";
    });
  }
  assertStrictEquals(limiter.tryAccept("192.0.2.7").admitted, true);
  assertEquals(swept, ["first", "second", "third"]);
  assertStrictEquals(limiter.tryAccept("192.0.2.7").admitted, false);
  assertThrows(() => limiter.accept("192.0.2.7"));
  assertStrictEquals(swept.length, 9);
});

test("Limiter.tryAccept() does not sweep for what is admitted, and counts and observes as the limiter does", () => {
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
  assertStrictEquals(sweeper.tryAccept("192.0.2.7").admitted, true);
  assertStrictEquals(sweeps, 0);
  assertStrictEquals(sweeper.tryAccept("192.0.2.7"), REFUSALS.client);
  // It sweeps once, even where that was of no use.
  assertEquals([sweeps, refused], [1, [["client", "192.0.2.7"]]]);
  assertStrictEquals(internalsOf(sweeper)!.counts, internalsOf(limiter)!.counts);
});

test("A tryAccept() that a user has put in place of the limiter's own sweeps as well, by the limiter's own", () => {
  class Blocking extends Limiter {
    override tryAccept(peer: Peer) {
      return super.tryAccept(peer === "192.0.2.7" ? {} : peer);
    }
  }
  const admitter = sweeping(new Blocking(), () => true);
  assertStrictEquals(admitter.tryAccept("192.0.2.7").admitted, false);
  assertStrictEquals(admitter.tryAccept("192.0.2.8").admitted, true);
});
