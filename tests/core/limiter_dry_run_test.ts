import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter, type LimitsOptions, type Peer } from "@connlimit/connlimit";
import { observe } from "../../src/admission/observe.ts";
import { acceptAll } from "../support/admissions.ts";
import { FakeClock } from "../support/fake_clock.ts";

const REASONS: [reason: string, limits: LimitsOptions, peer?: Peer][] = [
  ["client", { maxPerClient: 0 }],
  ["aggregate", { aggregates: [{ ipv4Prefix: 24, max: 0 }] }],
  ["total", { maxTotal: 0 }],
  ["blocked", { networks: { "192.0.2.0/24": { maxPerClient: 0 } } }],
  ["fair-share", { maxTotal: 1, fairShare: { floor: 0 } }],
  ["unknown-address", {}, "nonsense"],
];

for (const [reason, limits, peer = "192.0.2.7"] of REASONS) {
  test(`Limiter in a dry run admits what it would refuse for the reason "${reason}", and says so`, () => {
    const limiter = new Limiter({ ...limits, dryRun: true });
    const slot = limiter.accept(peer);
    assertEquals([slot.wouldRefuse?.reason, slot.wouldRefuse?.dryRun, slot.wouldRefuse?.admitted], [
      reason,
      true,
      false,
    ]);
    assertStrictEquals(slot.client, reason === "unknown-address" ? "" : "192.0.2.7");
    const { refused, admitted, wouldRefuse, open } = limiter.stats();
    assertEquals([refused, admitted, wouldRefuse[reason as "client"], open], [0, 0, 1, 0]);
    slot.release();
    slot.release();
  });
}

test("Limiter in a dry run keeps what it would refuse out of the counts that decide", async () => {
  using clock = new FakeClock();
  const limiter = new Limiter({ maxPerClient: 2, rate: { perSecond: 1, burst: 3 }, dryRun: true });
  const slots = acceptAll(limiter, "192.0.2.7", 5);
  assertEquals(slots.map((slot) => slot.wouldRefuse?.reason), [undefined, undefined, "client", "client", "client"]);
  assertEquals([limiter.open, limiter.openFor("192.0.2.7"), limiter.stats().peak], [2, 2, 2]);
  // The end of a connection that would not be there makes no room.
  slots[4]!.release();
  assertStrictEquals(limiter.accept("192.0.2.7").wouldRefuse?.reason, "client");
  slots[0]!.release();
  assertStrictEquals(limiter.accept("192.0.2.7").wouldRefuse, undefined);
  slots[1]!.release();
  assertStrictEquals(limiter.accept("192.0.2.7").wouldRefuse?.reason, "rate");
  clock.pass(1_000);
  assertStrictEquals(limiter.accept("192.0.2.7").wouldRefuse, undefined);
  await Promise.resolve();
});

test("Limiter.idle() waits for the connections of a dry run, too", async () => {
  const limiter = new Limiter({ maxPerClient: 1, dryRun: true });
  const [one, other] = acceptAll(limiter, "192.0.2.7", 2);
  let idle = false;
  const wait = limiter.idle().then(() => idle = true);
  one!.release();
  await Promise.resolve();
  assertEquals([limiter.open, idle], [0, false]);
  // The limits may be in force by then.
  limiter.setLimits({ maxPerClient: 1 });
  other!.release();
  await wait;
  assertStrictEquals(limiter.tryAccept("192.0.2.7").admitted, true);
});

test("observe() is told what a dry run would refuse, besides the admission and the release", () => {
  const limiter = new Limiter({ maxPerClient: 1, dryRun: true });
  const told: string[] = [];
  const observer = {
    admitted: () => void told.push("admitted"),
    released: () => void told.push("released"),
    refused: () => void told.push("refused"),
    wouldRefuse: (reason: string, peer: Peer) => void told.push(`would refuse ${peer}: ${reason}`),
  };
  observe(limiter, observer);
  observe(limiter, { admitted() {}, released() {}, refused() {} });
  for (const slot of acceptAll(limiter, "192.0.2.7", 2)) slot.release();
  assertEquals(told, ["admitted", "would refuse 192.0.2.7: client", "admitted", "released", "released"]);
});
