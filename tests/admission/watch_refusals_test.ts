import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Limiter, logRefusals, type Peer, watchRefusals } from "@connlimit/connlimit";
import { createGate } from "../../src/admission/gate.ts";
import { observe } from "../../src/admission/observe.ts";
import { RefusedLately } from "../../src/admission/watch_refusals.ts";
import { internalsOf } from "../../src/core/internals.ts";
import { FakePort } from "../support/fake_port.ts";
import { eventually } from "../support/net.ts";

/** Has a limiter refuse peers, each as often as it is there. */
function refuse(limiter: Limiter, ...peers: Peer[]): void {
  for (const peer of peers) limiter.tryAccept(peer);
}

const names = (limiter: Limiter) => limiter.top(9).refused?.map(({ client, refused }) => [client, refused]);

test("watchRefusals() ranks the clients that are refused from then on, with the last reason of each", () => {
  const limiter = new Limiter({ maxPerClient: 1, networks: { "192.0.2.0/24": { maxPerClient: 0 } } });
  refuse(limiter, "192.0.2.7");
  assertStrictEquals(limiter.top().refused, null);
  {
    using _ = watchRefusals(limiter);
    assertEquals(limiter.top().refused, []);
    refuse(
      limiter,
      "192.0.2.7",
      { key: "192.0.2.7" },
      { key: "192.0.2.7" },
      "2001:db8::1",
      "2001:db8::2",
      "2001:db8::3",
    );
    refuse(limiter, "192.0.2.7", "192.0.2.7", "nonsense", "192.0.2.8");
    assertEquals(limiter.top(3).refused, [
      { client: "192.0.2.7", refused: 3, error: 0, reason: "blocked" },
      { client: "2001:db8::/64", refused: 2, error: 0, reason: "client" },
      { client: "192.0.2.7", refused: 1, error: 0, reason: "client" },
    ]);
  }
  assertStrictEquals(limiter.top().refused, null);
  assertStrictEquals(internalsOf(limiter)!.counts.observer, undefined);
});

test("watchRefusals() ranks no client of a refusal before any client was asked for, nor a client that was asked for before", () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  using _ = watchRefusals(limiter);
  limiter.accept("192.0.2.7");
  refuse(limiter, "nonsense");
  internalsOf(limiter)!.counts.refuse("pending");
  assertEquals(names(limiter), []);
  assertEquals(limiter.stats().refused, 2);
});

test("watchRefusals() has one ranking for all that watch, until the last of them ends", () => {
  const limiter = new Limiter({ maxPerClient: 0 });
  const watches = [watchRefusals(limiter), watchRefusals(limiter, { clients: 5 })];
  const other = { admitted() {}, released() {}, refused() {} };
  const remove = observe(limiter, other);
  refuse(limiter, "192.0.2.7");
  watches[0]![Symbol.dispose]();
  watches[0]![Symbol.dispose]();
  refuse(limiter, "192.0.2.7");
  assertEquals(names(limiter), [["192.0.2.7", 2]]);
  watches[1]![Symbol.dispose]();
  assertStrictEquals(limiter.top().refused, null);
  assertStrictEquals(internalsOf(limiter)!.counts.observer, other);
  remove();
  // It begins anew.
  using _ = watchRefusals(limiter);
  assertEquals(names(limiter), []);
});

test("watchRefusals() forgets refusals after two periods", async () => {
  const limiter = new Limiter({ maxPerClient: 0 });
  using _ = watchRefusals(limiter, { period: 10 });
  refuse(limiter, "192.0.2.7");
  await eventually(() => limiter.top().refused?.length === 0, "the end of two periods");
});

test("RefusedLately adds up the period and the one before", () => {
  const lately = new RefusedLately(10);
  const ranks = () => lately.top(9).map(({ client, refused, reason }) => [client, refused, reason]);
  lately.add(1, "client");
  lately.add(2, "total");
  lately.add(2, "total");
  lately.rotate();
  lately.add(1, "aggregate");
  lately.add(1, "aggregate");
  lately.add(3, "client");
  assertEquals(ranks(), [["0.0.0.1", 3, "aggregate"], ["0.0.0.2", 2, "total"], ["0.0.0.3", 1, "client"]]);
  lately.rotate();
  assertEquals(ranks(), [["0.0.0.1", 2, "aggregate"], ["0.0.0.3", 1, "client"]]);
  lately.rotate();
  assertEquals(ranks(), []);
});

test("watchRefusals() finds the worst clients among 100,000 different ones, within the error that it states", () => {
  const limiter = new Limiter({ maxPerClient: 0 });
  using _ = watchRefusals(limiter, { clients: 1_000 });
  const exact = new Map<string, number>();
  const refuseOne = (key: string) => {
    limiter.tryAccept({ key });
    exact.set(key, (exact.get(key) ?? 0) + 1);
  };
  for (let i = 0; i < 100_000; i++) {
    refuseOne(`one of many: ${i}`);
    if (i % 100 === 0) refuseOne("worst");
    if (i % 150 === 0) refuseOne("second");
  }
  const { refused } = limiter.top(1_000);
  assertEquals(refused!.slice(0, 2).map(({ client }) => client), ["worst", "second"]);
  const all = [...exact.values()].reduce((sum, count) => sum + count, 0);
  for (const { client, refused: count, error } of refused!) {
    assert(error <= 2 * all / 1_000, `an error of ${error} of ${all}`);
    assert(count <= exact.get(client)! && exact.get(client)! <= count + error, client);
  }
});

test("watchRefusals() keeps no key of 10 kB", () => {
  const limiter = new Limiter({ maxPerClient: 0 });
  using _ = watchRefusals(limiter);
  refuse(limiter, { key: "k".repeat(10_000) });
  assertEquals(limiter.top().refused!.map(({ client }) => client), [`${"k".repeat(62)}…`]);
});

test("watchRefusals() lets go a limiter that is garbage, and its timer ends", async () => {
  const collected = new Set<string>();
  const registry = new FinalizationRegistry<string>((name) => collected.add(name));
  (() => {
    const limiter = new Limiter({ maxPerClient: 0 });
    watchRefusals(limiter, { period: 5 });
    refuse(limiter, "192.0.2.7");
    registry.register(limiter, "limiter");
    // What the timer holds.
    registry.register(internalsOf(limiter)!.counts.ranking!, "ranking");
  })();
  const { Bun, gc = () => Bun!.gc(true) } = globalThis as { gc?(): void; Bun?: { gc(synchronously: boolean): void } };
  await eventually(() => (gc(), collected.size === 2), "the garbage collection of both");
});

test("watchRefusals() names the option and the value that it does not take", () => {
  const limiter = new Limiter();
  const wrong = (options: object, message: string, limits: unknown = limiter) =>
    assertThrows(() => watchRefusals(limits as Limiter, options), Error, message);
  wrong({ clients: 1 }, "clients must be a whole number from 2 to 1000000, got 1");
  wrong({ period: 0 }, "period must be at least 1 millisecond, got 0");
  wrong({ period: Infinity }, "period must be milliseconds from 0 to 2147483647, got Infinity");
  wrong({ n: 1 }, 'unknown option "n"; known are clients, period');
  wrong({}, "limiter must be a limiter, got an object", {});
  wrong({}, "limiter must be a limiter, got null", null);
  assertStrictEquals(limiter.top().refused, null);
});

test("watchRefusals() and logRefusals() have the clients that a dry run would refuse", () => {
  const limiter = new Limiter({ maxPerClient: 1, dryRun: true });
  const lines: unknown[] = [];
  using _ = watchRefusals(limiter);
  using onRefused = logRefusals({ logger: { warn: (line) => lines.push(line) } });
  const port = new FakePort();
  // What serves a connection may ask the limiter for another.
  port.admit = () => {
    limiter.tryAccept({ key: "other" });
    return "admitted";
  };
  const offer = createGate(port, limiter, { onRefused });
  for (let i = 0; i < 3; i++) offer("a");
  assertEquals(lines, ['connlimit: refused key "a" (client, dry run)']);
  onRefused.flush();
  assertEquals(lines[1], 'connlimit: refused 1 more from 1 client in 1 s, most from key "a": 1');
  assertEquals(names(limiter), [["a", 2], ["other", 2]]);
});
