/**
 * Observers see all that a limiter counts.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { Limiter, type Peer, type RefusalReason, type Slot } from "@connlimit/connlimit";
import { internalsOf } from "../../src/core/internals.ts";
import { observe } from "../../src/admission/observe.ts";
import type { LimiterObserver } from "../../src/core/observer.ts";
import { byReason } from "../../src/core/reasons.ts";

/** Counts what it sees, and writes it down. */
class Watcher implements LimiterObserver {
  admissions = 0;
  readonly open: Set<Slot> = new Set();
  readonly refusedBy: Record<RefusalReason, number> = byReason(() => 0);
  readonly log: string[] = [];
  readonly peers: (Peer | undefined)[] = [];

  admitted(slot: Slot): void {
    assertStrictEquals(slot.released, false);
    this.admissions++;
    this.open.add(slot);
    this.log.push(`admitted ${slot.client}`);
  }

  released(slot: Slot): void {
    assert(this.open.delete(slot) && slot.released);
    this.log.push(`released ${slot.client}`);
  }

  refused(reason: RefusalReason, peer: Peer | undefined): void {
    this.refusedBy[reason]++;
    this.peers.push(peer);
    this.log.push(`refused ${reason}`);
  }
}

test("observe() tells of each admission, refusal and release once, with the client's name", () => {
  const limiter = new Limiter({ maxPerClient: 1, networks: { "10.0.0.0/8": { maxPerClient: 0 } } });
  const watcher = new Watcher();
  observe(limiter, watcher);
  const slot = limiter.accept("2001:db8::7");
  assertStrictEquals([...watcher.open][0], slot);
  for (const peer of ["2001:db8::8", "10.0.0.1", "none"]) limiter.tryAccept(peer);
  slot.release();
  slot.release();
  limiter.accept({ key: "alice" })[Symbol.dispose]();
  assertEquals(watcher.log, [
    "admitted 2001:db8::/64",
    "refused client",
    "refused blocked",
    "refused unknown-address",
    "released 2001:db8::/64",
    "admitted alice",
    "released alice",
  ]);
  assertEquals(watcher.peers, ["2001:db8::8", "10.0.0.1", "none"]);
});

test("observe() calls right after the limiter has counted", () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  const seen: [what: string, open: number, admitted: number, refused: number][] = [];
  const note = (what: string) => {
    const { open, admitted, refused } = limiter.stats();
    seen.push([what, open, admitted, refused]);
  };
  observe(limiter, {
    admitted: () => note("admitted"),
    released: () => note("released"),
    refused: () => note("refused"),
  });
  const slot = limiter.accept("192.0.2.7");
  limiter.tryAccept("192.0.2.7");
  slot.release();
  assertEquals(seen, [["admitted", 1, 1, 0], ["refused", 1, 1, 1], ["released", 0, 1, 1]]);
});

test("observe() tells of a refusal without a peer where no limiter was asked", () => {
  const limiter = new Limiter();
  const watcher = new Watcher();
  observe(limiter, watcher);
  internalsOf(limiter)!.counts.refuse("timeout");
  assertEquals([watcher.log, watcher.peers], [["refused timeout"], [undefined]]);
});

test("observe() has several observers, each until it is removed", () => {
  const limiter = new Limiter();
  const watchers = [new Watcher(), new Watcher(), new Watcher()];
  const log = () => watchers.map((watcher) => watcher.log.splice(0));
  const admit = (client: string) => limiter.accept({ key: client })[Symbol.dispose]();
  const [removeFirst, removeSecond, removeThird] = watchers.map((watcher) => observe(limiter, watcher));
  admit("a");
  const both = ["admitted a", "released a"];
  assertEquals(log(), [both, both, both]);
  removeSecond!();
  removeSecond!();
  admit("a");
  assertEquals(log(), [both, [], both]);
  const removeAgain = observe(limiter, watchers[1]!);
  admit("a");
  assertEquals(log(), [both, both, both]);
  removeFirst!();
  removeAgain();
  admit("a");
  assertEquals(log(), [[], [], both]);
  removeThird!();
  admit("a");
  limiter.tryAccept("none");
  assertEquals(log(), [[], [], []]);
  assertStrictEquals(internalsOf(limiter)!.counts.observer, undefined);
});

test("observe() tells of the release of a slot that was admitted before", () => {
  const limiter = new Limiter();
  const slot = limiter.accept("192.0.2.7");
  const released: Slot[] = [];
  const nothing = () => {};
  const remove = observe(limiter, {
    admitted: nothing,
    refused: nothing,
    released: (slot) => void released.push(slot),
  });
  slot.release();
  assertStrictEquals(released[0], slot);
  const later = limiter.accept("192.0.2.7");
  remove();
  later.release();
  assertStrictEquals(released.length, 1);
});

test("observe() keeps the observers of two limiters apart", () => {
  const [one, other] = [new Limiter(), new Limiter()];
  const watchers = [new Watcher(), new Watcher()] as const;
  observe(one, watchers[0]);
  observe(other, watchers[1]);
  one.accept({ key: "a" });
  other.accept({ key: "b" });
  assertEquals(watchers.map(({ log }) => log), [["admitted a"], ["admitted b"]]);
});

const step = fc.record({
  kind: fc.constantFrom("accept", "accept", "accept", "release", "limits"),
  peer: fc.constantFrom("192.0.2.1", "192.0.2.2", "192.0.3.1", "10.0.0.1", "none", "unix"),
  which: fc.nat(),
});

test("observe() agrees with the limiter's stats(), whatever is accepted and released", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const limiter = new Limiter();
      const watchers = [new Watcher(), new Watcher()];
      for (const watcher of watchers) observe(limiter, watcher);
      const slots: Slot[] = [];
      const refused: Peer[] = [];
      for (const { kind, peer, which } of steps) {
        if (kind === "accept") {
          const admission = limiter.tryAccept(peer);
          if (admission.admitted) slots.push(admission);
          else refused.push(peer), seen.add(admission.reason);
        } else if (kind === "release") {
          slots[which % slots.length]?.release();
        } else {
          limiter.setLimits({
            maxPerClient: 1 + which % 3,
            maxTotal: 1 + which % 5,
            aggregates: [{ ipv4Prefix: 24, max: 1 + which % 4 }],
            networks: { "10.0.0.0/8": { maxPerClient: 0 } },
          });
        }
        const { open, admitted, refusedBy } = limiter.stats();
        for (const watcher of watchers) {
          assertEquals([watcher.open.size, watcher.admissions, watcher.refusedBy], [open, admitted, refusedBy]);
          assertEquals(watcher.peers, refused);
        }
      }
    }),
    { numRuns: 500 },
  );
  assertEquals([...seen].sort(), ["aggregate", "blocked", "client", "total", "unknown-address"]);
});
