import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Limiter, LimitReachedError, type LimitsOptions, type Peer } from "@connlimit/connlimit";
import { heapUsed } from "../testing/memory.ts";

/** The reason of a refusal, or `undefined` for a slot, which is given back at once. */
function refusedFor(limiter: Limiter, peer: Peer): string | undefined {
  using admission = limiter.tryAccept(peer);
  return admission.admitted ? undefined : admission.reason;
}

/** Slots for `count` connections of a peer, all of which must be admitted. */
function hold(limiter: Limiter, peer: Peer, count: number) {
  return Array.from({ length: count }, () => limiter.accept(peer));
}

test("Limiter.accept() admits up to the limit and again when a slot is back", () => {
  const limiter = new Limiter({ maxPerClient: 2 });
  const [first] = hold(limiter, "192.0.2.7", 2);
  const error = assertThrows(() => limiter.accept("192.0.2.7"), LimitReachedError);
  assertStrictEquals(error.reason, "client");
  assertStrictEquals(error.name, "LimitReachedError");
  assertStrictEquals(refusedFor(limiter, "192.0.2.8"), undefined);
  first!.release();
  assertStrictEquals(refusedFor(limiter, "192.0.2.7"), undefined);
});

test("LimitReachedError tells no limits and no counts", () => {
  const limiter = new Limiter({ maxPerClient: 0 });
  const error = assertThrows(() => limiter.accept("192.0.2.7"), LimitReachedError);
  assertEquals(/\d/.test(error.message), false);
});

test("Limiter.tryAccept() answers with a slot or a refusal, told apart by `admitted`", () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  const slot = limiter.tryAccept("192.0.2.7");
  assert(slot.admitted);
  assertStrictEquals(slot.client, "192.0.2.7");
  assertStrictEquals(slot.released, false);
  const refusal = limiter.tryAccept("192.0.2.7");
  assert(!refusal.admitted);
  assertStrictEquals(refusal.reason, "client");
});

test("Limiter.tryAccept() gives the same frozen refusal for the same reason", () => {
  const limiter = new Limiter({ maxPerClient: 0 });
  const refusal = limiter.tryAccept("192.0.2.7");
  assertStrictEquals(refusal, limiter.tryAccept("192.0.2.8"));
  assert(Object.isFrozen(refusal));
  refusal[Symbol.dispose]();
  assertStrictEquals(limiter.open, 0);
});

test("Slot.release() frees once, however often and in whichever way it is called", () => {
  const limiter = new Limiter();
  const [one, other] = hold(limiter, "192.0.2.7", 2);
  one!.release();
  one!.release();
  one![Symbol.dispose]();
  assertStrictEquals(one!.released, true);
  assertStrictEquals(one!.client, "192.0.2.7");
  assertStrictEquals(limiter.openFor("192.0.2.7"), 1);
  other!.release();
  assertStrictEquals(limiter.open, 0);
});

test("Slot.release() after its client came back frees its own slot and not the newer one", () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  const old = limiter.accept("192.0.2.7");
  old.release();
  const newer = limiter.accept("192.0.2.7");
  old.release();
  assertStrictEquals(limiter.openFor("192.0.2.7"), 1);
  newer.release();
  assertStrictEquals(limiter.open, 0);
});

test("using frees a slot at the end of the block, also when it is left by an exception", () => {
  const limiter = new Limiter();
  assertThrows(
    () => {
      using _ = limiter.accept("192.0.2.7");
      assertStrictEquals(limiter.open, 1);
      throw new Error("from the block");
    },
    Error,
    "from the block",
  );
  assertStrictEquals(limiter.open, 0);
});

test("Limiter counts an IPv6 /64 and an IPv4-mapped address as one client each", () => {
  const limiter = new Limiter({ maxPerClient: 2 });
  hold(limiter, "2001:db8::1", 1);
  hold(limiter, "2001:DB8:0:0:ffff::2", 1);
  assertStrictEquals(refusedFor(limiter, "2001:db8::3"), "client");
  assertStrictEquals(refusedFor(limiter, "2001:db8:0:1::3"), undefined);
  hold(limiter, "::ffff:192.0.2.7", 1);
  hold(limiter, "192.0.2.7", 1);
  assertStrictEquals(refusedFor(limiter, "::FFFF:c000:0207"), "client");
  assertStrictEquals(limiter.openFor("192.0.2.7"), 2);
});

test("Limiter tells all of IPv4 apart, also where IPv6 clients are wide (CVE-2026-30827 elsewhere)", () => {
  const limiter = new Limiter({ maxPerClient: 1, ipv6Prefix: 56 });
  hold(limiter, "::ffff:192.0.2.7", 1);
  assertStrictEquals(refusedFor(limiter, "::ffff:198.51.100.7"), undefined);
});

test("Limiter counts clients by the prefixes it is given", () => {
  const limiter = new Limiter({ maxPerClient: 1, ipv4Prefix: 24, ipv6Prefix: 48 });
  assertStrictEquals(hold(limiter, "192.0.2.7", 1)[0]!.client, "192.0.2.0/24");
  assertStrictEquals(refusedFor(limiter, "192.0.2.8"), "client");
  assertStrictEquals(refusedFor(limiter, "192.0.3.8"), undefined);
  assertStrictEquals(hold(limiter, "2001:db8:1:2::3", 1)[0]!.client, "2001:db8:1::/48");
  assertStrictEquals(refusedFor(limiter, "2001:db8:1:ffff::"), "client");
});

test("Limiter takes every kind of peer", () => {
  const limiter = new Limiter();
  const cases: [Peer, client: string][] = [
    ["192.0.2.7", "192.0.2.7"],
    [{ remoteAddr: { transport: "tcp", hostname: "::ffff:192.0.2.7" } }, "192.0.2.7"],
    // What `Deno.startTls()` gives has no transport.
    [{ remoteAddr: { hostname: "192.0.2.7" } }, "192.0.2.7"],
    [{ remoteAddress: "192.0.2.7" }, "192.0.2.7"],
    [{ remoteAddr: { transport: "unix" } }, "unix"],
    [{ key: "alice" }, "alice"],
    [{ key: "192.0.2.7" }, "192.0.2.7"],
    ["fe80::1%eth0", "fe80::%eth0/64"],
  ];
  for (const [peer, client] of cases) assertStrictEquals(limiter.accept(peer).client, client);
  assertStrictEquals(limiter.openFor("192.0.2.7"), 4);
  assertStrictEquals(limiter.openFor({ key: "192.0.2.7" }), 1);
  assertStrictEquals(limiter.stats().clients, 5);
});

test("Limiter counts an object's address and not a key beside it", () => {
  const limiter = new Limiter();
  assertStrictEquals(limiter.accept({ remoteAddress: "192.0.2.7", key: "chosen by the client" }).client, "192.0.2.7");
});

test("Limiter refuses a peer without a usable address, and never throws for one", () => {
  const limiter = new Limiter();
  const hostile = {
    get remoteAddr(): never {
      throw new Error("dead connection");
    },
  };
  const peers = [
    ...["", "localhost", "192.0.2.07", "[::1]", "192.0.2.7:80", "2001:db8::/64", "unix"],
    ...[{ remoteAddr: { transport: "vsock" } }, { remoteAddr: { hostname: "" } }, { remoteAddr: null }, {
      remoteAddr: {},
    }],
    ...[{ remoteAddress: undefined }, { remoteAddress: "" }, { remoteAddress: 7 }, { key: "" }, { key: 7 }, {}],
    ...[null, undefined, 7, true, Symbol(), () => {}, hostile],
  ];
  // deno-lint-ignore no-explicit-any
  for (const peer of peers) assertStrictEquals(refusedFor(limiter, peer as any), "unknown-address", String(peer));
  assertStrictEquals(limiter.open, 0);
  assertStrictEquals(limiter.stats().refusedBy["unknown-address"], peers.length);
});

test("Limiter with maxPerClient 0 refuses everyone, and with Infinity nobody", () => {
  assertStrictEquals(refusedFor(new Limiter({ maxPerClient: 0 }), "192.0.2.7"), "client");
  const limiter = new Limiter({ maxPerClient: Infinity });
  hold(limiter, "192.0.2.7", 1_000);
  assertStrictEquals(refusedFor(limiter, "192.0.2.7"), undefined);
});

test("Limiter refuses everyone while maxTotal are open", () => {
  const limiter = new Limiter({ maxTotal: 2 });
  const [slot] = hold(limiter, "192.0.2.7", 1);
  hold(limiter, { key: "alice" }, 1);
  assertStrictEquals(refusedFor(limiter, "2001:db8::1"), "total");
  slot!.release();
  assertStrictEquals(refusedFor(limiter, "2001:db8::1"), undefined);
});

test("Limiter counts aggregates at the same time, and a refusal leaves no trace at any level", () => {
  const limiter = new Limiter({
    maxPerClient: 3,
    aggregates: [{ ipv4Prefix: 24, ipv6Prefix: 48, max: 4 }, { ipv4Prefix: 16, max: 6 }],
  });
  const slots = [
    ...hold(limiter, "192.0.2.1", 2),
    ...hold(limiter, "192.0.2.2", 2),
    ...hold(limiter, "192.0.3.1", 2),
  ];
  assertStrictEquals(refusedFor(limiter, "192.0.2.3"), "aggregate");
  assertStrictEquals(refusedFor(limiter, "192.0.2.1"), "aggregate");
  assertStrictEquals(refusedFor(limiter, "192.0.3.1"), "aggregate");
  assertStrictEquals(refusedFor(limiter, "192.0.4.1"), "aggregate");
  assertStrictEquals(refusedFor(limiter, "192.1.0.1"), undefined);
  assertStrictEquals(limiter.stats().clients, 3);
  // Room in the /16 alone is not room in the full /24.
  slots[4]!.release();
  assertStrictEquals(refusedFor(limiter, "192.0.2.3"), "aggregate");
  assertStrictEquals(refusedFor(limiter, "192.0.4.1"), undefined);
  for (const slot of slots) slot.release();
  hold(limiter, "192.0.2.1", 3);
  hold(limiter, "192.0.2.2", 1);
  hold(limiter, "2001:db8:1:1::", 3);
  hold(limiter, "2001:db8:1:2::", 1);
  assertStrictEquals(refusedFor(limiter, "2001:db8:1:3::"), "aggregate");
  assertStrictEquals(refusedFor(limiter, "2001:db8:2:3::"), undefined);
});

test("Limiter with an aggregate of max 0 refuses its clients", () => {
  const limiter = new Limiter({ aggregates: [{ ipv4Prefix: 0, max: 0 }] });
  assertStrictEquals(refusedFor(limiter, "192.0.2.7"), "aggregate");
  assertStrictEquals(refusedFor(limiter, "2001:db8::1"), undefined);
  assertStrictEquals(refusedFor(limiter, { key: "alice" }), undefined);
});

test("Limiter takes the rule of the longest network", () => {
  const limiter = new Limiter({
    maxPerClient: 1,
    networks: {
      "10.0.0.0/8": { maxPerClient: Infinity },
      "10.1.0.0/16": { maxPerClient: 2 },
      "10.1.2.3": { maxPerClient: 0 },
    },
  });
  hold(limiter, "10.9.9.9", 50);
  hold(limiter, "10.1.9.9", 2);
  assertStrictEquals(refusedFor(limiter, "10.1.9.9"), "client");
  assertStrictEquals(refusedFor(limiter, "10.1.2.3"), "blocked");
  assertStrictEquals(refusedFor(limiter, "::ffff:10.1.2.3"), "blocked");
  assertStrictEquals(limiter.openFor("10.9.9.9"), 50);
  hold(limiter, "192.0.2.7", 1);
  assertStrictEquals(refusedFor(limiter, "192.0.2.7"), "client");
});

test("Limiter makes the addresses of a rule that is narrower than a client a client of their own", () => {
  const limiter = new Limiter({ maxPerClient: 1, networks: { "2001:db8::5": { maxPerClient: 3 } } });
  hold(limiter, "2001:db8::1", 1);
  assertStrictEquals(refusedFor(limiter, "2001:db8::2"), "client");
  assertStrictEquals(hold(limiter, "2001:db8::5", 3)[0]!.client, "2001:db8::5");
  assertStrictEquals(refusedFor(limiter, "2001:db8::5"), "client");
  assertStrictEquals(limiter.openFor("2001:db8::1"), 1);
  assertStrictEquals(limiter.openFor("2001:db8::5"), 3);
});

test("Limiter.openFor() knows clients by any of their peers and by the name of a slot's client", () => {
  const limiter = new Limiter();
  const peers: Peer[] = ["192.0.2.7", "2001:db8::1", { remoteAddr: { transport: "unix" } }, "fe80::1%eth0"];
  for (const peer of peers) {
    const { client } = limiter.accept(peer);
    assertStrictEquals(limiter.openFor(peer), 1);
    assertStrictEquals(limiter.openFor(client), 1, client);
  }
  assertStrictEquals(limiter.openFor("2001:db8::2"), 1);
  for (const nobody of ["192.0.2.8", "2001:db8::/63", "no address", ""]) assertStrictEquals(limiter.openFor(nobody), 0);
});

test("Limiter.clients() names the clients with open connections and how many", () => {
  const limiter = new Limiter();
  hold(limiter, "192.0.2.7", 2);
  hold(limiter, "2001:db8::1", 1);
  hold(limiter, { key: "alice" }, 1);
  hold(limiter, "192.0.2.8", 1)[0]!.release();
  assertEquals([...limiter.clients()], [
    { client: "192.0.2.7", open: 2 },
    { client: "2001:db8::/64", open: 1 },
    { client: "alice", open: 1 },
  ]);
});

test("Limiter.stats() counts what happened", () => {
  const limiter = new Limiter({ maxPerClient: 2, maxTotal: 3, networks: { "198.51.100.0/24": { maxPerClient: 0 } } });
  const slots = hold(limiter, "192.0.2.7", 2);
  refusedFor(limiter, "192.0.2.7");
  refusedFor(limiter, "198.51.100.1");
  refusedFor(limiter, "");
  slots.push(...hold(limiter, "192.0.2.8", 1));
  refusedFor(limiter, "192.0.2.9");
  for (const slot of slots) slot.release();
  hold(limiter, "192.0.2.7", 1);
  assertEquals(limiter.stats(), {
    open: 1,
    clients: 1,
    peak: 3,
    admitted: 4,
    refused: 4,
    refusedBy: { client: 1, aggregate: 0, total: 1, blocked: 1, "unknown-address": 1 },
  });
});

test("Limiter.idle() resolves when the last slot is back, for everyone who waits", async () => {
  const limiter = new Limiter();
  await limiter.idle();
  for (let round = 0; round < 2; round++) {
    const [one, other] = hold(limiter, "192.0.2.7", 2);
    let idle = 0;
    const waits = [limiter.idle(), limiter.idle()].map((wait) => wait.then(() => idle++));
    one!.release();
    await Promise.resolve();
    assertStrictEquals(idle, 0);
    other!.release();
    await Promise.all(waits);
    assertStrictEquals(idle, 2);
  }
});

test("Limiter.setLimits() replaces the limits as a whole", () => {
  const limiter = new Limiter({ maxPerClient: 1, maxTotal: 1 });
  limiter.setLimits({ maxPerClient: 2 });
  hold(limiter, "192.0.2.7", 2);
  assertStrictEquals(limiter.limits.maxTotal, Infinity);
});

test("Limiter.setLimits() with a lower limit closes nobody and refuses until below it", () => {
  const limiter = new Limiter({ maxPerClient: 3 });
  const slots = hold(limiter, "192.0.2.7", 3);
  limiter.setLimits({ maxPerClient: 2 });
  assertStrictEquals(limiter.open, 3);
  for (const expected of ["client", "client", undefined]) {
    assertStrictEquals(refusedFor(limiter, "192.0.2.7"), expected);
    slots.pop()!.release();
  }
});

test("Limiter.setLimits() with a higher limit admits at once", () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  hold(limiter, "192.0.2.7", 1);
  assertStrictEquals(refusedFor(limiter, "192.0.2.7"), "client");
  limiter.setLimits({ maxPerClient: 2 });
  assertStrictEquals(refusedFor(limiter, "192.0.2.7"), undefined);
});

test("Limiter.setLimits() with other prefixes while connections are open still frees every slot", () => {
  const limiter = new Limiter({ maxPerClient: Infinity });
  const prefixes: LimitsOptions[] = [
    { ipv4Prefix: 32, ipv6Prefix: 64 },
    { ipv4Prefix: 24, ipv6Prefix: 48, aggregates: [{ ipv4Prefix: 16, max: Infinity }] },
    { ipv4Prefix: 0, ipv6Prefix: 0 },
    { ipv4Prefix: 32, ipv6Prefix: 128, aggregates: [{ ipv4Prefix: 24, ipv6Prefix: 64, max: Infinity }] },
    { networks: { "192.0.2.0/25": { maxPerClient: Infinity }, "2001:db8::1": { maxPerClient: Infinity } } },
  ];
  const slots = prefixes.flatMap((options) => {
    limiter.setLimits({ maxPerClient: Infinity, ...options });
    return ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"].map((peer) => limiter.accept(peer));
  });
  assertStrictEquals([...limiter.clients()].reduce((sum, { open }) => sum + open, 0), slots.length);
  for (const slot of slots) slot.release();
  assertStrictEquals(limiter.open, 0);
  assertEquals([...limiter.clients()], []);
});

test("Limiter.setLimits() keeps open connections under the client that they were admitted as", () => {
  const limiter = new Limiter({ maxPerClient: 2, ipv4Prefix: 24 });
  const [slot] = hold(limiter, "192.0.2.7", 2);
  limiter.setLimits({ maxPerClient: 2 });
  assertEquals([...limiter.clients()], [{ client: "192.0.2.0/24", open: 2 }]);
  assertStrictEquals(limiter.openFor(slot!.client), 2);
  assertStrictEquals(refusedFor(limiter, "192.0.2.7"), undefined);
});

test("Limiter.setLimits() counts open connections in aggregates that are new", () => {
  const limiter = new Limiter();
  const slots = hold(limiter, "192.0.2.7", 3);
  hold(limiter, { key: "alice" }, 3);
  limiter.setLimits({ aggregates: [{ ipv4Prefix: 24, max: 4 }] });
  slots.push(...hold(limiter, "192.0.2.8", 1));
  assertStrictEquals(refusedFor(limiter, "192.0.2.9"), "aggregate");
  limiter.setLimits({ aggregates: [{ ipv4Prefix: 24, max: 5 }] });
  assertStrictEquals(refusedFor(limiter, "192.0.2.9"), undefined);
  limiter.setLimits({ aggregates: [{ ipv4Prefix: 16, max: 4 }] });
  assertStrictEquals(refusedFor(limiter, "192.0.3.1"), "aggregate");
  for (const slot of slots) slot.release();
  hold(limiter, "192.0.3.1", 4);
  assertStrictEquals(refusedFor(limiter, "192.0.2.9"), "aggregate");
});

test("Limiter.setLimits() counts clients that were as wide as an aggregate is now, and not those that were wider", () => {
  const limiter = new Limiter({ ipv4Prefix: 24 });
  hold(limiter, "192.0.2.7", 2);
  limiter.setLimits({ aggregates: [{ ipv4Prefix: 24, max: 2 }] });
  assertStrictEquals(refusedFor(limiter, "192.0.2.9"), "aggregate");
  limiter.setLimits({ aggregates: [{ ipv4Prefix: 25, max: 1 }] });
  assertStrictEquals(refusedFor(limiter, "192.0.2.9"), undefined);
});

test("Limiter refuses exactly 500 of 1,000 connections over 100 addresses at limit 5", () => {
  const limiter = new Limiter({ maxPerClient: 5 });
  const admissions = Array.from({ length: 1_000 }, (_, index) => limiter.tryAccept(`192.0.2.${index % 100}`));
  const slots = admissions.filter((admission) => admission.admitted);
  assertStrictEquals(slots.length, 500);
  assertStrictEquals(limiter.stats().refusedBy.client, 500);
  for (const { client } of slots) assertStrictEquals(limiter.openFor(client), 5);
  for (const slot of slots) slot[Symbol.dispose]();
  assertStrictEquals(limiter.open, 0);
});

test("Limiter keeps nothing of a million clients that came and went", () => {
  const limiter = new Limiter({ aggregates: [{ ipv4Prefix: 16, ipv6Prefix: 32, max: Infinity }] });
  hold(limiter, "192.0.2.7", 1)[0]!.release();
  const before = heapUsed();
  let slots: Disposable[] = [];
  for (let client = 0; client < 1_000_000; client++) {
    const peer = client % 2 === 0
      ? `10.${client >> 16}.${client >> 8 & 255}.${client & 255}`
      : `2001:db8:${(client >> 16).toString(16)}:${(client & 0xffff).toString(16)}::1`;
    slots.push(limiter.accept(peer));
  }
  assertStrictEquals(limiter.stats().clients, 1_000_000);
  for (const slot of slots) slot[Symbol.dispose]();
  slots = [];
  assertStrictEquals(limiter.stats().clients, 0);
  assertEquals([...limiter.clients()], []);
  const left = heapUsed() - before;
  assert(left < 2_000_000, `${left} bytes are left`);
});

test("Limiter.tryAccept() tries once more when slots could be reclaimed, and counts one answer", () => {
  const limiter = new Limiter({ maxPerClient: 1, networks: { "10.0.0.0/8": { maxPerClient: 0 } } });
  const [ended] = hold(limiter, "2001:db8::7", 1);
  const asked: [reason: string, client: string][] = [];
  const nothing = (reason: string, client: () => string) => {
    asked.push([reason, client()]);
    return false;
  };
  assertStrictEquals(limiter.tryAccept("2001:db8::7", nothing).admitted, false);
  assertStrictEquals(limiter.tryAccept("10.0.0.1", nothing).admitted, false);
  assertStrictEquals(limiter.tryAccept("none", nothing).admitted, false);
  assertStrictEquals(limiter.tryAccept("192.0.2.7", nothing).admitted, true);
  assertEquals(asked, [["client", "2001:db8::/64"], ["blocked", "10.0.0.1"], ["unknown-address", ""]]);
  const reclaim = () => {
    ended!.release();
    return true;
  };
  assertStrictEquals(limiter.tryAccept("2001:db8::7", reclaim).admitted, true);
  assertStrictEquals(limiter.tryAccept("2001:db8::7", () => true).admitted, false);
  const { admitted, refused } = limiter.stats();
  assertEquals([admitted, refused], [3, 4]);
});

test("Limiter.clients() and its counts leave out a client whose connections have all closed", () => {
  const limiter = new Limiter();
  for (const peer of ["192.0.2.7", "192.0.2.8", "192.0.2.8", "2001:db8::7", "192.0.2.7"]) {
    const slot = limiter.accept(peer);
    assertEquals([...limiter.clients()], [{ client: slot.client, open: 1 }]);
    assertStrictEquals(limiter.stats().clients, 1);
    slot.release();
    assertEquals([[...limiter.clients()], limiter.stats().clients, limiter.openFor(peer)], [[], 0, 0]);
  }
  const [one, other] = [limiter.accept("192.0.2.7"), limiter.accept("192.0.2.9")];
  one.release();
  assertEquals([...limiter.clients()], [{ client: "192.0.2.9", open: 1 }]);
  assertStrictEquals(limiter.stats().clients, 1);
  other.release();
  assertStrictEquals(limiter.stats().clients, 0);
});
