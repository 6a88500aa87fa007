import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter, type Peer } from "@connlimit/connlimit";
import { acceptAll, refusedFor } from "../support/admissions.ts";
import { byReason } from "../../src/core/reasons.ts";

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
  acceptAll(limiter, "192.0.2.7", 2);
  acceptAll(limiter, "2001:db8::1", 1);
  acceptAll(limiter, { key: "alice" }, 1);
  acceptAll(limiter, "192.0.2.8", 1)[0]!.release();
  assertEquals([...limiter.clients()], [
    { client: "192.0.2.7", open: 2 },
    { client: "2001:db8::/64", open: 1 },
    { client: "alice", open: 1 },
  ]);
});

test("Limiter.stats() counts what happened", () => {
  const limiter = new Limiter({ maxPerClient: 2, maxTotal: 3, networks: { "198.51.100.0/24": { maxPerClient: 0 } } });
  const slots = acceptAll(limiter, "192.0.2.7", 2);
  refusedFor(limiter, "192.0.2.7");
  refusedFor(limiter, "198.51.100.1");
  refusedFor(limiter, "");
  slots.push(...acceptAll(limiter, "192.0.2.8", 1));
  refusedFor(limiter, "192.0.2.9");
  for (const slot of slots) slot.release();
  acceptAll(limiter, "192.0.2.7", 1);
  assertEquals(limiter.stats(), {
    open: 1,
    clients: 1,
    peak: 3,
    pending: 0,
    admitted: 4,
    refused: 4,
    refusedBy: {
      client: 1,
      aggregate: 0,
      total: 1,
      "fair-share": 0,
      rate: 0,
      blocked: 1,
      "unknown-address": 1,
      pending: 0,
      timeout: 0,
      unavailable: 0,
      "untrusted-peer": 0,
      "proxy-header": 0,
    },
    timedOut: { firstByte: 0, idle: 0, maxAge: 0 },
    wouldRefuse: byReason(() => 0),
    evicted: 0,
  });
});

test("Limiter.idle() resolves when the last slot is back, for everyone who waits", async () => {
  const limiter = new Limiter();
  await limiter.idle();
  for (let round = 0; round < 2; round++) {
    const [one, other] = acceptAll(limiter, "192.0.2.7", 2);
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
