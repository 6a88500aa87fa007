/**
 * What `whenFull: "evict"` closes in favour of others, and what it leaves open.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter, type LimitsOptions } from "@connlimit/connlimit";
import { Evictor } from "../../src/admission/evictor.ts";
import { internalsOf } from "../../src/core/internals.ts";
import { EvictingServer, type Setup } from "../support/evicting_server.ts";

const [A, B, C, D] = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"] as const;

function serve(limits: LimitsOptions, setup?: Setup): EvictingServer & { readonly limiter: Limiter } {
  const limiter = new Limiter({ maxPerClient: Infinity, ...limits });
  return Object.assign(new EvictingServer(limiter, setup), { limiter });
}

test("Evictor closes the newest connection of the client that has most, if that has two more than the newcomer would", () => {
  const server = serve({ maxTotal: 6 });
  server.offers(A, 2);
  const [, , third] = server.offers(B, 3);
  server.offer(C);
  assert(server.offer(D));
  assertEquals(server.evictions, [{ client: B, newcomer: D, number: third!.number }]);
  // A and B have two each, and nobody gives away one of two.
  assertStrictEquals(server.offer("192.0.2.5"), undefined);
  assertStrictEquals(server.offer(C), undefined);
  const { open, peak, evicted, refused, refusedBy, admitted } = server.limiter.stats();
  assertEquals([open, peak, evicted, refused, refusedBy.total, admitted], [6, 6, 1, 2, 2, 7]);
  assertEquals([third!.slot.released, server.open.size], [true, 6]);
});

test("Evictor asks for more the more the newcomer's client has", () => {
  const server = serve({ maxTotal: 9 });
  server.offers(A, 6);
  server.offers(B, 3);
  assert(server.offer(B));
  assertEquals([server.limiter.openFor(A), server.limiter.openFor(B)], [5, 4]);
  assertStrictEquals(server.offer(B), undefined);
  assertEquals(server.victims, [A]);
});

test("Evictor closes nothing as long as there is room, and nothing for a refusal for another reason", () => {
  const server = serve({ maxTotal: 10, maxPerClient: 9, aggregates: [{ ipv4Prefix: 24, max: 10 }] });
  server.offers(A, 9);
  server.offer("198.51.100.1");
  assertStrictEquals(server.offer(A), undefined);
  assertEquals(server.limiter.stats().refusedBy.client, 1);
  // Room in the total would be of no use.
  server.limiter.setLimits({ maxTotal: 10, aggregates: [{ ipv4Prefix: 24, max: 9 }] });
  assertStrictEquals(server.offer(B), undefined);
  server.limiter.setLimits({ maxTotal: 10, networks: { [B]: { maxPerClient: 0 } } });
  assertStrictEquals(server.offer(B), undefined);
  assertStrictEquals(server.offer({}), undefined);
  assertEquals(server.victims, []);
  const { refusedBy } = server.limiter.stats();
  assertEquals([refusedBy.aggregate, refusedBy.blocked, refusedBy["unknown-address"]], [1, 1, 1]);
});

test("Evictor closes nothing for a newcomer that a fair share or a rate would refuse next", () => {
  const fair = serve({ maxTotal: 40, fairShare: { floor: 2, share: 0.5 } });
  fair.offers(A, 40);
  for (const i of Array(40).keys()) fair.offer(`198.51.100.${i}`);
  const [client] = fair.limiter.clients();
  assertStrictEquals(fair.limiter.open, 40);
  assertEquals(client!.client, A);
  const before = fair.evictions.length;
  // With two of 40, B is at its share.
  fair.offers(B, 2);
  const between = fair.evictions.length;
  assertStrictEquals(fair.offer(B), undefined);
  assertEquals([fair.evictions.length >= between, fair.evictions.length], [true, between]);
  assert(between >= before);

  const rated = serve({ maxTotal: 10 });
  rated.offers(A, 10);
  rated.limiter.setLimits({ maxTotal: 10, maxPerClient: Infinity, rate: { perSecond: 0.001, burst: 1 } });
  const first = rated.offer(B);
  rated.close(first!);
  rated.offer(A);
  assertEquals(rated.victims, [A]);
  assertStrictEquals(rated.offer(B), undefined);
  assertEquals(rated.victims, [A]);
});

test("Evictor never closes a connection under a rule of Infinity, nor an exempt one, whenever the rule came", () => {
  const server = serve({ maxTotal: 20, networks: { "10.0.0.0/8": { maxPerClient: Infinity } } });
  server.offers("10.0.0.1", 12);
  server.offers(A, 6);
  server.offers("10.0.0.2", 2);
  assert(server.offer(B));
  assertEquals(server.victims, [A]);
  const limits: LimitsOptions = { maxTotal: 20, networks: { [`${A}/32`]: { maxPerClient: Infinity } } };
  server.limiter.setLimits(limits);
  assert(server.offer(C));
  server.limiter.setLimits({ ...limits, networks: { ...limits.networks, "10.0.0.1/32": { exempt: true } } });
  assertStrictEquals(server.offer(D), undefined);
  assertEquals(server.victims, [A, "10.0.0.1"]);
  // What a rule leaves out is as for everyone, and that is no rule of Infinity.
  const rate = { perSecond: 100, burst: 100 };
  server.limiter.setLimits({ maxTotal: 20, maxPerClient: Infinity, networks: { "10.0.0.0/8": { rate } } });
  assert(server.offer(D));
  assertEquals(server.victims, [A, "10.0.0.1", "10.0.0.1"]);
});

test("Evictor closes nothing for who is above a lowered limit", () => {
  const server = serve({ maxTotal: 10 });
  server.offers(A, 10);
  server.limiter.setLimits({ maxTotal: 5, maxPerClient: Infinity });
  assertStrictEquals(server.offer(B), undefined);
  for (const conn of [...server.open].slice(0, 5)) server.close(conn);
  assert(server.offer(B));
  assertEquals([server.victims, server.limiter.open], [[A], 5]);
  server.limiter.setLimits({ maxTotal: 0 });
  assertStrictEquals(server.offer(C), undefined);
  assertEquals(server.victims, [A]);
});

test("Evictor closes connections of all servers of its limiter that have one, by their own means", () => {
  const limiter = new Limiter({ maxTotal: 8 });
  const [one, other] = [new EvictingServer(limiter), new EvictingServer(limiter)];
  other.offers(A, 4);
  // Nobody can close these, and nobody makes room for those who only ask the limiter.
  const taken = Array.from({ length: 4 }, () => limiter.accept(B));
  assertEquals([limiter.tryAccept(C).admitted, one.victims, other.victims], [false, [], []]);
  assert(one.offer(C));
  assertEquals([one.victims, other.victims], [[], [A]]);
  assert(one.offer(D));
  assertEquals([other.victims, limiter.openFor(B)], [[A, A], 4]);
  // None is left that could be closed and has enough.
  assertStrictEquals(one.offer("192.0.2.9"), undefined);
  taken.forEach((slot) => slot.release());
  one.closeAll();
  other.closeAll();
  assertEquals([limiter.open, limiter.stats().evicted], [0, 2]);
});

test("Evictor frees the slot of what it closes once, also where the runtime tells later that it is closed", () => {
  const server = serve({ maxTotal: 5 }, { slow: true });
  const [, , , , newest] = server.offers(A, 5);
  assert(server.offer(B));
  assertEquals([newest!.slot.released, server.limiter.open, server.limiter.openFor(A)], [true, 5, 4]);
  newest!.slot.release();
  assertEquals([server.limiter.open, server.limiter.openFor(A)], [5, 4]);
});

test("Evictor tells onEvicted before it closes, lives with all that the hook does, and closes once", () => {
  const errors: unknown[] = [];
  const thrown = new Error("thrown");
  let during: (() => unknown) | undefined;
  const server = serve({ maxTotal: 6 }, {
    onEvicted: (_, { slot }) => {
      assertStrictEquals(slot.released, false);
      return during?.();
    },
    onError: (error) => errors.push(error),
  });
  const refill = () => {
    server.closeAll();
    server.offers(A, 6);
    server.evictions.length = 0;
  };
  refill();
  during = () => {
    throw thrown;
  };
  assert(server.offer(B));
  refill();
  // It closes the connection itself.
  during = () => server.close([...server.open].at(-1)!);
  assert(server.offer(B));
  assertEquals([server.limiter.open, server.victims], [6, [A]]);
  refill();
  // It takes the room: the newcomer is refused, and nobody else is closed for it.
  during = () => {
    during = undefined;
    server.close([...server.open].at(-1)!);
    assert(server.limiter.tryAccept(C).admitted);
  };
  assertStrictEquals(server.offer(B), undefined);
  assertEquals([server.limiter.open, server.victims, errors], [6, [A], [thrown]]);
});

test("Evictor reports what closing throws, and frees the slot", () => {
  const limiter = new Limiter({ maxTotal: 3 });
  const errors: unknown[] = [];
  const evictor = Evictor.of<object>({ whenFull: "evict", onError: (error) => errors.push(error) }, limiter, {
    close() {
      throw new Error("cannot close");
    },
  })!;
  for (let i = 0; i < 3; i++) {
    const slot = evictor.tryAccept(A);
    assert(slot.admitted);
    evictor.enter(slot, {});
  }
  assert(evictor.tryAccept(B).admitted);
  assertEquals([String(errors), limiter.open, limiter.openFor(A)], ["Error: cannot close", 3, 2]);
});

test("Evictor keeps within its budget, which what cannot be closed does not use up", () => {
  const server = serve({ maxTotal: 60 }, { evictionsPerSecond: 3 });
  server.offers(A, 60);
  for (let i = 0; i < 100; i++) server.offer(A);
  const admitted = Array.from({ length: 20 }, (_, i) => server.offer(`198.51.100.${i}`)).filter(Boolean).length;
  assertEquals([admitted, server.evictions.length, server.limiter.stats().evicted], [3, 3, 3]);
  const none = serve({ maxTotal: 3 }, { evictionsPerSecond: 0 });
  none.offers(A, 3);
  assertEquals([none.offer(B), none.victims], [undefined, []]);
});

test("Evictor closes nothing in a dry run, nor for what only a dry run admits", () => {
  const server = serve({ maxTotal: 5, dryRun: true });
  server.offers(A, 9);
  assert(server.offer(B)?.slot.wouldRefuse);
  assertEquals([server.victims, server.limiter.open], [[], 5]);
  server.limiter.setLimits({ maxTotal: 5, maxPerClient: Infinity });
  assert(server.offer(B));
  assertEquals([server.victims, server.limiter.open, server.limiter.stats().evicted], [[A], 5, 1]);
  server.closeAll();
  assertStrictEquals(server.limiter.open, 0);
});

test("Evictor keeps nothing of connections that are closed, and passes on what limiters show of themselves", () => {
  const server = serve({ maxTotal: 50 });
  for (let round = 0; round < 20; round++) {
    for (let client = 0; client < 20; client++) server.offers(`198.51.100.${client}`, 5);
    server.closeAll();
  }
  assertEquals([server.limiter.open, server.limiter.stats().clients], [0, 0]);
  assertStrictEquals(internalsOf(server.evictor)!.counts, internalsOf(server.limiter)!.counts);
  // Slots of others are none of its business.
  const slot = server.limiter.accept(A);
  server.evictor.enter(slot, { slot, number: 0 });
  slot.release();
});
