/**
 * Clients ranked by their connections, beside a naive ranking.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { type Place, RankedClients } from "../../src/admission/ranked_clients.ts";

/** The client that has most, with its number of connections. */
function most({ most }: RankedClients<unknown>): readonly [string, number] | undefined {
  return most && [most.name, most.size];
}

test("RankedClients finds the client that has most, and its newest connection", () => {
  const ranked = new RankedClients<string>();
  assertStrictEquals(most(ranked), undefined);
  const a1 = ranked.add("a", "a1");
  assertEquals(most(ranked), ["a", 1]);
  ranked.add("b", "b1");
  const b2 = ranked.add("b", "b2");
  assertEquals([most(ranked), ranked.most!.newest.conn], [["b", 2], "b2"]);
  ranked.delete(b2);
  const a2 = ranked.add("a", "a2");
  assertEquals(most(ranked), ["a", 2]);
  ranked.delete(a1);
  ranked.add("a", "a3");
  ranked.delete(a2);
  ranked.add("a", "a4");
  assertEquals([ranked.most!.newest.conn, ranked.size], ["a4", 2]);
});

test("RankedClients ranks those who have had or wanted more than the floor, until they have nothing", () => {
  const ranked = new RankedClients<number>();
  ranked.rerank(2);
  const places = [1, 2, 3].map((conn) => ranked.add("hog", conn));
  ranked.add("polite", 4);
  assertEquals(most(ranked), ["hog", 3]);
  places.splice(0, 2).forEach((place) => ranked.delete(place));
  assertEquals(most(ranked), ["hog", 1]);
  ranked.want("polite", 2);
  ranked.want("stranger", 9);
  ranked.delete(places[0]!);
  assertStrictEquals(most(ranked), undefined);
  ranked.add("hog", 5);
  assertStrictEquals(most(ranked), undefined);
  ranked.want("polite", 3);
  assertEquals(most(ranked), ["polite", 1]);
});

test("RankedClients spares a client until all are ranked anew", () => {
  const ranked = new RankedClients<number>();
  for (let i = 0; i < 900; i++) ranked.add("many", i);
  ranked.add("few", 0);
  ranked.spare(ranked.most!);
  assertEquals(most(ranked), ["few", 1]);
  ranked.add("many", 900);
  assertEquals(most(ranked), ["few", 1]);
  ranked.rerank(0);
  assertEquals(most(ranked), ["many", 901]);
});

test("RankedClients agrees with a naive ranking in 200,000 random steps", () => {
  let seed = 4711;
  const random = (below: number) => (seed = seed * 48_271 % 2_147_483_647) % below;
  const ranked = new RankedClients<number>();
  const open = new Map<string, Place<number>[]>();
  const peaks = new Map<string, number>();
  const spared = new Set<string>();
  let floor = 0;
  const sizes = () => {
    const candidates = [...open].filter(([name]) => peaks.get(name)! > floor && !spared.has(name));
    return candidates.map(([, places]) => places.length);
  };
  for (let step = 0; step < 200_000; step++) {
    // Growing and shrinking in turns.
    const grows = (step >> 10) % 2 === 0 ? 7 : 3;
    const name = `client ${Math.min(random(12), random(12))}`;
    const places = open.get(name) ?? [];
    if (random(10) < grows) {
      places.push(ranked.add(name, step));
      open.set(name, places);
      peaks.set(name, Math.max(peaks.get(name) ?? 0, places.length));
    } else if (places.length > 0) {
      ranked.delete(places.splice(random(places.length), 1)[0]!);
      if (places.length === 0) {
        for (const known of [open, peaks, spared]) known.delete(name);
      }
    }
    if (random(500) === 0 && ranked.most !== undefined) {
      spared.add(ranked.most.name);
      ranked.spare(ranked.most);
    }
    if (random(5_000) === 0) {
      ranked.rerank(floor = random(6));
      spared.clear();
    }
    const { most } = ranked;
    // The naive one takes its time.
    if (step % 7 > 0 && most !== undefined) continue;
    const all = sizes();
    assertStrictEquals(most?.size, all.length === 0 ? undefined : Math.max(...all));
    if (most === undefined) continue;
    assertStrictEquals(most.newest, open.get(most.name)!.at(-1));
    assert(!spared.has(most.name));
  }
  for (const places of open.values()) places.forEach((place) => ranked.delete(place));
  assertEquals([ranked.size, most(ranked)], [0, undefined]);
});
