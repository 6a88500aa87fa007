import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter, type LimitsOptions, type Peer, type Slot } from "@connlimit/connlimit";
import { internalsOf } from "../../src/core/internals.ts";
import { FakeClock } from "../support/fake_clock.ts";

test("Limiter.explain() says who the client is, every level with its room, and the answer", () => {
  const limiter = new Limiter({ maxPerClient: 2, maxTotal: 9, aggregates: [{ ipv4Prefix: 24, max: 3 }] });
  limiter.accept("192.0.2.7");
  assertEquals(limiter.explain({ remoteAddress: "::ffff:192.0.2.7" }), {
    admitted: true,
    reason: null,
    wouldRefuse: null,
    client: "192.0.2.7",
    found: { by: "address", address: "192.0.2.7", mapped: true, prefix: 32, rule: null },
    levels: [
      { level: "client", name: "192.0.2.7", open: 1, max: 2, room: true },
      { level: "aggregate", name: "192.0.2.0/24", open: 1, max: 3, room: true },
      { level: "total", name: "", open: 1, max: 9, room: true },
    ],
  });
  for (const peer of ["192.0.2.7", "192.0.2.8"]) limiter.accept(peer);
  const { admitted, reason, levels } = limiter.explain("192.0.2.7");
  // Two levels are full. The first is the reason.
  assertEquals([admitted, reason, levels.map(({ room }) => room)], [false, "client", [false, false, true]]);
  assertEquals(limiter.explain("192.0.2.9").reason, "aggregate");
  assertEquals(limiter.explain("192.0.3.9").reason, null);
});

test("Limiter.explain() names the rule that holds, under its name in limiter.limits.networks", () => {
  const networks = {
    "10.0.0.0/8": { maxPerClient: Infinity },
    "10.1.0.0/16": { maxPerClient: 0 },
    "2001:db8::7": { maxPerClient: 3 },
    "fe80::/10": { maxPerClient: 4 },
    "::ffff:198.51.100.0/120": { maxPerClient: 5 },
  };
  const limiter = new Limiter({ networks });
  const rules = { "10.2.3.4": null, "10.1.3.4": 0, "2001:db8::7": 3, "fe80::1%eth0": 4, "198.51.100.1": 5 };
  for (const [peer, max] of Object.entries(rules)) {
    const { found, levels, client } = limiter.explain(peer);
    const { network, maxPerClient } = found!.rule!;
    assertEquals([maxPerClient, levels[0]!.max], [max, max], peer);
    assertEquals(limiter.limits.networks[network]?.maxPerClient, max ?? Infinity, peer);
    assertStrictEquals(client, levels[0]!.name);
  }
  assertEquals(limiter.explain("10.1.3.4").reason, "blocked");
  assertEquals(limiter.explain("10.2.3.4").found!.rule!.exempt, false);
  assertEquals(new Limiter({ maxPerClient: 0 }).explain("10.1.3.4").reason, "client");
  // A rule of one address makes that address a client of its own.
  assertEquals([limiter.explain("2001:db8::7").found!.prefix, limiter.explain("2001:db8::8").found!.prefix], [128, 64]);
});

test("Limiter.explain() tells addresses, keys, Unix peers and peers without a client apart", () => {
  const limiter = new Limiter();
  const found = (peer: unknown) => {
    const { client, found } = limiter.explain(peer as Peer);
    return [client, found?.by, found?.address, found?.mapped, found?.prefix];
  };
  assertEquals(found({ remoteAddr: { hostname: "2001:DB8::1" } }), [
    "2001:db8::/64",
    "address",
    "2001:db8::1",
    false,
    64,
  ]);
  assertEquals(found({ remoteAddr: { hostname: "::ffff:7f00:1" } }), ["127.0.0.1", "address", "127.0.0.1", true, 32]);
  assertEquals(found({ key: "192.0.2.7" }), ["192.0.2.7", "key", null, false, null]);
  assertEquals(found({ key: "unix" }), ["unix", "key", null, false, null]);
  assertEquals(found({ remoteAddr: { transport: "unix" } }), ["unix", "unix", null, false, null]);
  for (const nobody of ["", "nonsense", {}, { key: "" }, { remoteAddress: 7 }, undefined, null, 7]) {
    assertEquals(limiter.explain(nobody as Peer), {
      admitted: false,
      reason: "unknown-address",
      wouldRefuse: null,
      client: null,
      found: null,
      levels: [],
    });
  }
});

test("Limiter.explain() is the same after JSON, whatever the limits and the key", () => {
  const limiter = new Limiter({ maxPerClient: Infinity, aggregates: [{ ipv4Prefix: 8, max: Infinity }] });
  for (const peer of ["10.0.0.1", { key: "<script>\u0000\u2028\ud800" }, { key: "k".repeat(10_000) }, "nonsense"]) {
    const explanation = limiter.explain(peer);
    assertEquals(JSON.parse(JSON.stringify(explanation)), explanation);
  }
});

/** A reproducible sequence of numbers from 0 to below `n`. */
function sequence(seed: number): (n: number) => number {
  return (n) => {
    seed = Math.imul(seed ^ seed >>> 15, 0x2c1b3c6d) + 0x9e3779b9 | 0;
    const mixed = Math.imul(seed ^ seed >>> 12, 0x297a2d39);
    return ((mixed ^ mixed >>> 15) >>> 0) % n;
  };
}

test("Limiter.explain() agrees with what tryAccept() then answers, 100,000 times, and changes nothing", () => {
  const next = sequence(16);
  const peers: Peer[] = [
    ...Array.from({ length: 12 }, (_, i) => `10.0.${i >> 2}.${i & 3}`),
    ...Array.from({ length: 8 }, (_, i) => ({ remoteAddress: `2001:db8:${i >> 2}:${i & 1}::${i}` })),
    "::ffff:10.0.0.1",
    { key: "10.0.0.1" },
    { remoteAddr: { transport: "unix" } },
    "nonsense",
  ];
  const max = () => [0, 1, 2, 3, 6, Infinity][next(6)]!;
  const limits = (maxTotal = [5, 12, 30, Infinity][next(4)]!): LimitsOptions => ({
    maxPerClient: max(),
    maxTotal,
    ipv4Prefix: [32, 31, 30][next(3)]!,
    ipv6Prefix: [128, 64, 48][next(3)]!,
    aggregates: [[], [{ ipv4Prefix: 24, ipv6Prefix: 40, max: max() }], [{ ipv4Prefix: 8, max: 9 }]][next(3)]!,
    fairShare: [false, { share: 0.5, floor: 1 }][maxTotal === Infinity ? 0 : next(2)]!,
    dryRun: next(4) === 0,
    networks: [{ "10.0.2.0/24": { exempt: true, max: next(4) } }, {
      "10.0.1.0/24": { maxPerClient: max() },
      "10.0.1.2": { maxPerClient: max() },
    }][next(2)]!,
  });
  const limiter = new Limiter();
  const counts = internalsOf(limiter)!.counts;
  let observed = 0;
  counts.observer = { admitted: () => observed++, released() {}, refused: () => observed++ };
  counts.sweeps.add(() => observed++);
  const seen = new Set<string>();
  const slots: Slot[] = [];
  for (let i = 0; i < 100_000; i++) {
    if (next(200) === 0) limiter.setLimits(limits());
    if (slots.length > 0 && next(3) === 0) slots.splice(next(slots.length), 1)[0]!.release();
    const peer = peers[next(peers.length)]!;
    const before = { ...limiter.stats(), observed };
    const { admitted, reason, wouldRefuse, client, levels } = limiter.explain(peer);
    if (i % 16 === 0) assertEquals({ ...limiter.stats(), observed }, before);
    const admission = limiter.tryAccept(peer);
    if (admission.admitted !== admitted) assert(false, `explain() says ${admitted} of ${JSON.stringify(peer)}`);
    if (admission.admitted && wouldRefuse !== null) {
      assertStrictEquals(wouldRefuse, admission.wouldRefuse?.reason);
      slots.push(admission);
      seen.add("dry run");
    } else if (admission.admitted) {
      assertStrictEquals(client, admission.client);
      assertStrictEquals(levels[0]!.open + 1, limiter.openFor(peer));
      slots.push(admission);
    } else {
      assertStrictEquals(reason, admission.reason);
    }
    seen.add(reason ?? "admitted");
  }
  assertEquals([...seen].sort(), [
    "admitted",
    "aggregate",
    "blocked",
    "client",
    "dry run",
    "fair-share",
    "total",
    "unknown-address",
  ]);
});

test("Limiter.explain() has the state of a rate, a fair share, an exempt network and a dry run", () => {
  using _clock = new FakeClock();
  const limiter = new Limiter({
    maxPerClient: 9,
    maxTotal: 20,
    rate: { perSecond: 1, burst: 2 },
    fairShare: { share: 0.2, floor: 1 },
    networks: { "10.0.0.0/8": { exempt: true } },
  });
  const levelsOf = (peer: Peer) => limiter.explain(peer).levels.map(({ level, open, max }) => [level, open, max]);
  for (let i = 0; i < 2; i++) limiter.accept("192.0.2.7");
  assertEquals(levelsOf("192.0.2.7").slice(2), [["fair-share", 2, 3], ["rate", 2, 2]]);
  assertEquals(limiter.explain("192.0.2.7").reason, "rate");
  assertEquals(levelsOf("10.0.0.1"), [["client", 0, null], ["total", 2, null], ["network", 0, 100]]);
  assertEquals(limiter.explain("10.0.0.1").found!.rule, { network: "10.0.0.0/8", maxPerClient: null, exempt: true });
  limiter.setLimits({ maxPerClient: 0, dryRun: true });
  const { admitted, reason, wouldRefuse } = limiter.explain("192.0.2.7");
  assertEquals([admitted, reason, wouldRefuse], [true, null, "client"]);
});
