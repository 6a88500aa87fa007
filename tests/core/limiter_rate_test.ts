import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Limiter, LimitReachedError, type LimitsOptions, type Peer } from "@connlimit/connlimit";
import { heapUsed } from "../../testing/memory.ts";
import { acceptAll, refusedFor } from "../support/admissions.ts";
import { FakeClock } from "../support/fake_clock.ts";

/** What happens to each of several connections at once, which are closed at once. */
function answers(limiter: Limiter, peer: Peer, count: number): (string | undefined)[] {
  return Array.from({ length: count }, () => refusedFor(limiter, peer));
}

/** The time that a refusal for the rate names. */
function retryAfter(limiter: Limiter, peer: Peer): number | undefined {
  const admission = limiter.tryAccept(peer);
  return admission.admitted ? undefined : admission.retryAfter;
}

const DUE = undefined;

test("Limiter with a rate admits a burst, then one connection an interval, and says when the next is due", () => {
  using clock = new FakeClock();
  const limiter = new Limiter({ rate: { perSecond: 0.5, burst: 3 } });
  assertEquals(answers(limiter, "192.0.2.7", 5), [DUE, DUE, DUE, "rate", "rate"]);
  assertStrictEquals(refusedFor(limiter, "192.0.2.8"), DUE);
  assertStrictEquals(retryAfter(limiter, "192.0.2.7"), 2);
  clock.pass(1_500);
  assertStrictEquals(retryAfter(limiter, "192.0.2.7"), 1);
  clock.pass(499);
  assertStrictEquals(refusedFor(limiter, "192.0.2.7"), "rate");
  clock.pass(1);
  assertEquals(answers(limiter, "192.0.2.7", 2), [DUE, "rate"]);
  clock.pass(60_000);
  assertEquals(answers(limiter, "192.0.2.7", 4), [DUE, DUE, DUE, "rate"]);
  const { admitted, refused, refusedBy, open, clients } = limiter.stats();
  assertEquals([admitted, refused, refusedBy.rate, open, clients], [8, 7, 7, 0, 0]);
});

test("Limiter with a rate that is no whole number of anything admits its whole burst", () => {
  using _ = new FakeClock();
  for (const perSecond of [3, 7, 0.3, 1 / 7, 99_999]) {
    const limiter = new Limiter({ rate: { perSecond, burst: 50 } });
    assertEquals(answers(limiter, "192.0.2.7", 51).indexOf("rate"), 50, `${perSecond}`);
  }
});

test("Limiter.accept() throws LimitReachedError for the rate, and the default burst is a second's worth", () => {
  using _ = new FakeClock();
  const limiter = new Limiter({ rate: { perSecond: 1.5 } });
  acceptAll(limiter, "192.0.2.7", 2);
  assertStrictEquals(assertThrows(() => limiter.accept("192.0.2.7"), LimitReachedError).reason, "rate");
  assertEquals({ ...limiter.limits.rate as object }, { perSecond: 1.5, burst: 2, penalty: false, maxTracked: 65_536 });
});

test("Limiter spends no rate for connections that it refuses for another reason", () => {
  using _ = new FakeClock();
  const rate = { perSecond: 1, burst: 2, penalty: true };
  const others: [LimitsOptions, string][] = [
    [{ maxPerClient: 0 }, "client"],
    [{ maxTotal: 0 }, "total"],
    [{ aggregates: [{ ipv4Prefix: 24, max: 0 }] }, "aggregate"],
    [{ networks: { "192.0.2.0/24": { maxPerClient: 0 } } }, "blocked"],
    [{ maxTotal: 1, fairShare: { floor: 0 } }, "fair-share"],
  ];
  for (const [limits, reason] of others) {
    const limiter = new Limiter({ rate, ...limits });
    assertEquals(answers(limiter, "192.0.2.7", 5), new Array(5).fill(reason));
    limiter.setLimits({ rate });
    assertEquals(answers(limiter, "192.0.2.7", 3), [DUE, DUE, "rate"]);
  }
});

test("Limiter with a penalty refuses a client until it pauses for an interval", () => {
  using clock = new FakeClock();
  for (const penalty of [false, true]) {
    const limiter = new Limiter({ rate: { perSecond: 1, burst: 1, penalty } });
    assertStrictEquals(refusedFor(limiter, "192.0.2.7"), DUE);
    let admitted = 0;
    for (let i = 0; i < 100; i++) {
      clock.pass(100);
      if (refusedFor(limiter, "192.0.2.7") === DUE) admitted++;
    }
    assertStrictEquals(admitted, penalty ? 0 : 10);
    clock.pass(1_000);
    assertStrictEquals(refusedFor(limiter, "192.0.2.7"), DUE);
  }
});

test("Limiter has rates for networks and aggregates, and one that is over leaves no trace at the others", () => {
  using clock = new FakeClock();
  const limiter = new Limiter({
    rate: { perSecond: 1, burst: 2 },
    networks: {
      "192.0.2.1": { rate: false },
      "192.0.2.2": { rate: { perSecond: 1, burst: 3 } },
      "192.0.2.3": { maxPerClient: 9 },
    },
    aggregates: [{ ipv4Prefix: 24, max: Infinity, rate: { perSecond: 1, burst: 12 } }],
  });
  assertEquals(answers(limiter, "192.0.2.3", 3), [DUE, DUE, "rate"]);
  assertEquals(answers(limiter, "192.0.2.2", 4), [DUE, DUE, DUE, "rate"]);
  // Seven are left in the /24: the refused have spent none of them.
  assertEquals(answers(limiter, "192.0.2.1", 8).indexOf("rate"), 7);
  assertStrictEquals(refusedFor(limiter, "192.0.2.4"), "rate");
  assertEquals(answers(limiter, "192.0.3.4", 3), [DUE, DUE, "rate"]);
  clock.pass(2_000);
  // What the aggregate has refused has cost this client nothing.
  assertEquals(answers(limiter, "192.0.2.4", 3), [DUE, DUE, "rate"]);
});

test("Limiter.setLimits() keeps what is spent, and a client waits no longer than under the new rate", () => {
  using clock = new FakeClock();
  const limiter = new Limiter({ rate: { perSecond: 1, burst: 5 } });
  answers(limiter, "192.0.2.7", 4);
  limiter.setLimits({ ...limiter.limits, maxPerClient: 7 });
  assertEquals(answers(limiter, "192.0.2.7", 2), [DUE, "rate"]);
  limiter.setLimits({ rate: { perSecond: 0.01, burst: 5 } });
  assertEquals(answers(limiter, "192.0.2.8", 6).at(-1), "rate");
  // 500 seconds are spent; the new rate knows of a tenth of a second.
  limiter.setLimits({ rate: { perSecond: 10, burst: 1 } });
  assertStrictEquals(refusedFor(limiter, "192.0.2.8"), "rate");
  clock.pass(100);
  assertStrictEquals(refusedFor(limiter, "192.0.2.8"), DUE);
  // Without any rate, everything is forgotten.
  limiter.setLimits({});
  limiter.setLimits({ rate: { perSecond: 1, burst: 1 } });
  assertEquals(answers(limiter, "192.0.2.8", 2), [DUE, "rate"]);
});

test("Limiter forgets no IPv4 client and no account in a flood of IPv6 /64s, and remembers no more than maxTracked", () => {
  using clock = new FakeClock();
  const limiter = new Limiter({ rate: { perSecond: 0.001, burst: 1, maxTracked: 1_000 } });
  const quiet: Peer[] = ["192.0.2.7", { key: "account" }];
  for (const peer of quiet) assertStrictEquals(refusedFor(limiter, peer), DUE);
  for (let i = 0; i < 50_000; i++) {
    assertStrictEquals(refusedFor(limiter, `2001:db8:${(i >> 8).toString(16)}:${(i & 255).toString(16)}::1`), DUE);
  }
  for (const peer of quiet) assertStrictEquals(refusedFor(limiter, peer), "rate");
  clock.pass(1_000_000);
  for (const peer of quiet) assertStrictEquals(refusedFor(limiter, peer), DUE);
});

test("Limiter with a rate does not forget a client that is over it in a flood of its own family", () => {
  using _ = new FakeClock();
  const limiter = new Limiter({ rate: { perSecond: 0.001, burst: 5, maxTracked: 100 } });
  answers(limiter, "192.0.2.7", 5);
  for (let i = 0; i < 20_000; i++) refusedFor(limiter, `10.0.${i >> 8}.${i & 255}`);
  assertStrictEquals(refusedFor(limiter, "192.0.2.7"), "rate");
});

test("Limiter with a rate does not grow by a million clients", () => {
  const limiter = new Limiter({ rate: { perSecond: 1, burst: 1, maxTracked: 10_000 } });
  const pass = (from: number, to: number) => {
    for (let i = from; i < to; i++) {
      refusedFor(limiter, `${10 + (i >> 24)}.${i >> 16 & 255}.${i >> 8 & 255}.${i & 255}`);
    }
  };
  pass(0, 100_000);
  const before = heapUsed();
  pass(100_000, 1_000_000);
  const grown = heapUsed() - before;
  assert(grown < 1_000_000, `${grown} bytes`);
  assertEquals([limiter.open, limiter.stats().clients, limiter.stats().admitted], [0, 0, 1_000_000]);
});
