/**
 * `whenFull: "evict"` among hogs and polite clients: who is served, who loses connections, and how often.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter, type LimitsOptions } from "@connlimit/connlimit";
import { EvictingServer, type Setup } from "../support/evicting_server.ts";

const MAX_TOTAL = 1_000;
const POLITE = 200;
const WANTED = 4;

/** Numbers that look random and are the same each time. */
function randomly(): (below: number) => number {
  let seed = 4711;
  return (below) => (seed = seed * 48_271 % 2_147_483_647) % below;
}

function polite(i: number) {
  return { key: `polite ${i}` };
}

function hog(i: number) {
  return { key: `hog ${i}` };
}

/** A server that hogs have filled in turns, and on which they want as many more. */
function hoggedBy(hogs: number, setup: Setup = {}): EvictingServer & { readonly limiter: Limiter } {
  const limiter = new Limiter({ maxTotal: MAX_TOTAL, maxPerClient: 100 });
  const server = new EvictingServer(limiter, setup);
  for (let more = true; more && limiter.open < MAX_TOTAL;) {
    more = false;
    for (let i = 0; i < hogs; i++) more = server.offer(hog(i)) !== undefined || more;
  }
  server.evictions.length = 0;
  return Object.assign(server, { limiter });
}

/** The parts of the polite clients that have a connection, and of their connections that they have. */
function served(limiter: Limiter): readonly [clients: number, conns: number] {
  const open = Array.from({ length: POLITE }, (_, i) => limiter.openFor(polite(i)));
  const conns = open.reduce((sum, count) => sum + count, 0);
  return [open.filter((count) => count > 0).length / POLITE, conns / (POLITE * WANTED)];
}

/** No client that wants no more than is polite is closed, whoever comes. */
function onlyHogs(server: EvictingServer): void {
  assertEquals(server.victims.filter((client) => !client.startsWith("hog")), []);
}

test("Evictor serves polite clients beside hogs, which lock them out without it", () => {
  const random = randomly();
  const table = [1, 3, 10, 30, 100, 150, 200, 240, 250, 300].map((hogs) => {
    const server = hoggedBy(hogs);
    const { limiter } = server;
    assertStrictEquals(limiter.open, Math.min(MAX_TOTAL, 100 * hogs));
    // The polite come all at once, one connection after the other, and hogs go on trying.
    for (let i = 0; i < POLITE * WANTED; i++) {
      server.offer(polite(i % POLITE));
      for (let more = 0; more < 3; more++) server.offer(hog(random(hogs)));
    }
    onlyHogs(server);
    const { peak, evicted, admitted, open } = limiter.stats();
    assertEquals([peak <= MAX_TOTAL, admitted - evicted, evicted], [true, open, server.evictions.length]);
    return [hogs, ...served(limiter)] as const;
  });
  const least: Readonly<Record<number, readonly [clients: number, conns: number]>> = {
    100: [1, 0.7],
    150: [1, 0.5],
    200: [1, 0.5],
    240: [1, 0.3],
    250: [1, 0.3],
    300: [0.9, 0.2],
  };
  for (const [hogs, clients, conns] of table) {
    if (hogs >= 10) assertStrictEquals(hoggedBy(hogs).limiter.tryAccept(polite(0)).admitted, false);
    const [leastClients, leastConns] = least[hogs] ?? [1, 1];
    assert(clients >= leastClients && conns >= leastConns, `${hogs} hogs: ${clients} of the clients, ${conns}`);
  }
});

test("Evictor never closes a connection of a polite client, while all come and go", () => {
  for (const hogs of [20, 100, 300]) {
    const server = hoggedBy(hogs);
    const random = randomly();
    for (let step = 0; step < 20_000; step++) {
      const client = random(POLITE);
      if (random(3) === 0) server.offer(hog(random(hogs)));
      else if (random(2) === 0 && server.limiter.openFor(polite(client)) < WANTED) server.offer(polite(client));
      else {
        const name = `polite ${client}`;
        for (const conn of server.open) {
          if (conn.slot.client !== name) continue;
          server.close(conn);
          break;
        }
      }
    }
    onlyHogs(server);
    assert(server.evictions.length > 50, `${hogs} hogs: ${server.evictions.length}`);
    assertStrictEquals(server.limiter.open, server.open.size);
  }
});

test("Evictor comes to rest: hogs that all come back at once take nothing from each other for long", () => {
  for (const hogs of [7, 100]) {
    const server = hoggedBy(hogs);
    const { limiter } = server;
    // One hog has it all, and then they are equals.
    server.closeAll();
    limiter.setLimits({ maxTotal: MAX_TOTAL, maxPerClient: Infinity });
    server.offers(hog(0), MAX_TOTAL);
    const squares = () =>
      Array.from(limiter.clients(), ({ open }) => open ** 2).reduce((sum, square) => sum + square, 0);
    let before = squares();
    server.evictions.length = 0;
    for (let round = 0; round < 30 * MAX_TOTAL / hogs; round++) {
      for (let i = 0; i < hogs; i++) {
        const closed = server.evictions.length;
        server.offer(hog(i));
        const after = squares();
        // It falls by four at least.
        assert(server.evictions.length === closed ? after === before : after <= before - 4);
        before = after;
      }
    }
    const open = Array.from(limiter.clients(), ({ open }) => open);
    assert(Math.max(...open) - Math.min(...open) <= 2, `${hogs} hogs: ${open}`);
    // Each connection has gone to another hog once at most.
    assert(server.evictions.length <= MAX_TOTAL);
    const resting = server.evictions.length;
    for (let i = 0; i < 10 * MAX_TOTAL; i++) server.offer(hog(i % hogs));
    assertStrictEquals(server.evictions.length, resting);
  }
});

test("Evictor is not driven in circles by the prefixes of one aggregate", () => {
  const limits: LimitsOptions = { maxTotal: 256, aggregates: [{ ipv6Prefix: 48, max: 200 }] };
  const limiter = new Limiter(limits);
  const server = new EvictingServer(limiter);
  const prefix = (i: number) => `2001:db8:0:${i.toString(16)}::1`;
  const random = randomly();
  for (let i = 0; i < 56; i++) server.offer(`192.0.2.${i}`);
  for (let i = 0; i < 100_000; i++) server.offer(prefix(random(256)));
  const first = server.evictions.length;
  // At the limit of their aggregate, which comes before the total, they take nothing from each other.
  assertStrictEquals(first, 0);
  limiter.setLimits({ ...limits, aggregates: [] });
  for (let i = 0; i < 100_000; i++) server.offer(prefix(random(256)));
  const second = server.evictions.length;
  for (let i = 0; i < 100_000; i++) server.offer(prefix(random(256)));
  assert(second <= 256, `${second}`);
  assertStrictEquals(server.evictions.length, second);
});

test("Evictor keeps within its budget where hogs leave and come back to set it going", () => {
  let time = 0;
  const now = performance.now;
  performance.now = () => time;
  try {
    const server = hoggedBy(10, { evictionsPerSecond: 50 });
    const random = randomly();
    for (let second = 0; second < 20; second++) {
      const before = server.evictions.length;
      for (let step = 0; step < 5_000; step++) {
        time += 0.2;
        // A stranger takes a place, leaves it, and a hog takes it back.
        const stranger = server.offer({ key: `stranger ${random(1_000_000)}` });
        if (stranger !== undefined) server.close(stranger);
        server.offer(hog(random(10)));
      }
      const most = second === 0 ? 100 : 51;
      assert(server.evictions.length - before <= most, `${server.evictions.length - before} in a second`);
    }
    assert(server.evictions.length >= 1_000);
    onlyHogs(server);
  } finally {
    performance.now = now;
  }
});
