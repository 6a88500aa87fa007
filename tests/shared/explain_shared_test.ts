/**
 * What a shared limiter says that it would answer, and what it then answers.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import type { LimitsOptions, Slot } from "@connlimit/connlimit";
import { MemoryStore, StoreLimiter } from "@connlimit/connlimit/shared";
import { checkSharing, type SharingLimitOptions } from "../../src/shared/options.ts";
import { SharedAdmission } from "../../src/shared/shared_admission.ts";
import type { SharedStore } from "../../src/shared/store.ts";
import { Random } from "../../testing/random.ts";
import { eventually } from "../../testing/net.ts";
import { ModelClock } from "../support/model/model_clock.ts";

/** A store that can be away. */
class Store implements SharedStore {
  readonly #memory = new MemoryStore();
  readonly ttlMs: number = this.#memory.ttlMs;
  isAway = false;
  /** How often somebody has taken away what the dead had left. */
  reaped = 0;

  #call<T>(call: () => PromiseLike<T>): PromiseLike<T> {
    return this.isAway ? Promise.reject(new Error("away")) : call();
  }
  count: SharedStore["count"] = (request) => this.#call(() => this.#memory.count(request));
  reap: SharedStore["reap"] = (key, entries) => {
    this.reaped++;
    return this.#call(() => this.#memory.reap(key, entries));
  };
  total: SharedStore["total"] = (key) => this.#call(() => this.#memory.total(key));
  beat: SharedStore["beat"] = (sign, gone) => {
    this.reaped += gone.length;
    return this.#call(() => this.#memory.beat(sign, gone));
  };
  leave: SharedStore["leave"] = (id) => this.#call(() => this.#memory.leave(id));
}

/** Until every promise is kept. */
async function settle(): Promise<void> {
  for (let i = 0; i < 30; i++) await undefined;
}

const PEERS = [
  ...["10.0.0.1", "10.0.0.2", "10.0.1.1", "192.0.2.7", "192.0.2.8", "198.51.100.1", "2001:db8::1", "nobody"],
  { key: "alice" },
  { remoteAddr: { transport: "unix" } },
];

/** Limits that are full now and then at every level. */
function limitsBy(random: (n: number) => number): LimitsOptions {
  return {
    maxPerClient: 1 + random(4),
    maxTotal: random(3) === 0 ? Infinity : 4 + random(12),
    aggregates: random(2) === 0 ? [] : [{ ipv4Prefix: 24, ipv6Prefix: 48, max: 2 + random(5) }],
    networks: {
      "192.0.2.8": { maxPerClient: random(3) === 0 ? 0 : Infinity },
      "198.51.100.0/24": { exempt: true, max: 2 },
    },
    dryRun: random(12) === 0,
  };
}

for (const onStoreDown of ["local", "open", "closed"] as const) {
  test(`explain() agrees with what tryAccept() then answers, 4,000 times at three instances, onStoreDown: "${onStoreDown}"`, async () => {
    const chance = new Random(onStoreDown.length);
    const random = (n: number) => chance.integer(0, n - 1);
    const clock = new ModelClock();
    const store = new Store();
    const options = checkSharing({ onStoreDown, heartbeatMs: 3_000, deadMs: 7_000 } as SharingLimitOptions);
    const instances = ["a", "b", "c"].map((id) =>
      new SharedAdmission(limitsBy(random), store, options, clock.clockOf({}, 0), id)
    );
    const slots: Slot[] = [];
    const answers = new Map<string, number>();
    let later = 0;
    await settle();
    for (let i = 0; i < 4_000;) {
      const instance = instances[random(3)]!;
      const action = random(24);
      if (action < 9 && slots.length > 0) slots.splice(random(slots.length), 1)[0]!.release();
      else if (action === 9) instance.local.setLimits(limitsBy(random));
      else if (action < 13 && clock.next < Infinity) clock.step();
      else if (action === 13) store.isAway = random(4) === 0;
      await settle();
      if (action < 14) continue;
      i++;
      const peer = PEERS[random(PEERS.length)]!;
      const { trusted, health } = instance.sharing;
      const isStale = !trusted && health.status !== "down";
      const before = JSON.stringify([instance.local.stats(), instance.waiting]);
      const said = await instance.explain(peer);
      assertEquals(JSON.stringify([instance.local.stats(), instance.waiting]), before, "it changes nothing");
      assertEquals(JSON.parse(JSON.stringify(said)), said);
      const { reaped } = store;
      const deciding = instance.tryAccept(peer);
      await settle();
      // Where the store has become silent, a connection waits for its next sign.
      const waits = instance.waiting > 0;
      for (let steps = 0; instance.waiting > 0 && steps < 50; steps++) {
        clock.step();
        await settle();
      }
      const answer = await deciding;
      if (answer.admitted) slots.push(answer);
      // Meanwhile others have closed, or died; or what is left in the store of before an absence was not known yet.
      if (waits || store.reaped > reaped || isStale) {
        later++;
        continue;
      }
      const reason = answer.admitted ? answer.wouldRefuse?.reason ?? null : answer.reason;
      assertEquals(
        [said.admitted, said.reason ?? said.wouldRefuse],
        [answer.admitted, reason],
        JSON.stringify([i, said]),
      );
      answers.set(`${reason}`, (answers.get(`${reason}`) ?? 0) + 1);
    }
    assert(later < 200, `${later} were decided later`);
    for (const reason of ["null", "client", "aggregate", "total", "blocked", "unknown-address"]) {
      assert((answers.get(reason) ?? 0) > 20, `${reason}: ${answers.get(reason)}`);
    }
    for (const slot of slots) slot.release();
    await Promise.all(instances.map((it) => it.close()));
  });
}

test("StoreLimiter.explain() says what is open here and everywhere, and that the place is another's", async () => {
  const store = new MemoryStore();
  await using here = new StoreLimiter({ maxPerClient: 2, maxTotal: 9 }, store);
  await using there = new StoreLimiter({ maxPerClient: 2, maxTotal: 9 }, store);
  await eventually(() => here.status === "up" && there.status === "up", "the store");
  const slots = [await there.accept("192.0.2.7"), await there.accept("192.0.2.7")];
  const explanation = await here.explain("192.0.2.7");
  assertEquals({ ...explanation, found: null, levels: explanation.levels.slice(0, 1) }, {
    ...{ admitted: false, reason: "client", wouldRefuse: null, client: "192.0.2.7", found: null, status: "up" },
    levels: [{ level: "client", name: "192.0.2.7", open: 0, openEverywhere: 2, max: 2, room: false }],
  });
  assertEquals(here.stats().refused, 0);
  assertEquals(await here.openEverywhere("192.0.2.7"), 2, "nothing was written");
  slots[0]!.release();
  await eventually(async () => (await here.explain("192.0.2.7")).admitted, "the place that is free again");
  slots[1]!.release();
});

test("StoreLimiter.explain() answers without a store, and after close()", async () => {
  const store = new Store();
  store.isAway = true;
  const limiter = new StoreLimiter({ maxPerClient: 2 }, store, { onStoreDown: "closed" });
  await eventually(() => limiter.status === "down", "the absence of the store");
  const asked = limiter.stats().asked;
  const { admitted, reason, status, levels } = await limiter.explain("192.0.2.7");
  assertEquals([admitted, reason, status, levels[0]!.openEverywhere], [false, "unavailable", "down", null]);
  assertEquals(limiter.stats().asked - asked <= 1, true, "a store that is away is asked nothing");
  await limiter.close();
  assertEquals((await limiter.explain("192.0.2.7")).reason, "unavailable");
});
