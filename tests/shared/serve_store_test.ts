/**
 * A store in memory that others count in, who end, are busy, or lie.
 *
 * @module
 */

import { test } from "node:test";
import { MessageChannel as NodeChannel } from "node:worker_threads";
import { assertEquals, assertRejects } from "@std/assert";
import { ChannelStore } from "../../src/shared/channel_store.ts";
import { MemoryStore } from "../../src/shared/memory_store.ts";
import type { CountRequest } from "../../src/shared/store.ts";
import { StoreLimiter } from "../../src/shared/store_limiter.ts";
import { eventually } from "../support/net.ts";
import { settled, turns } from "../support/settled.ts";

const request = (id: string, more: Partial<CountRequest> = {}): CountRequest => (
  { key: "k", id, seq: 1, since: 1, unsure: false, have: 0, want: 1, max: 10, split: 0, ...more }
);

/** A store and the other end of a channel that it serves. */
class Served implements Disposable {
  readonly store = new MemoryStore();
  readonly #channel = new NodeChannel();
  readonly end: () => void;

  constructor() {
    this.end = this.store.serve(this.#channel.port1);
  }

  get port() {
    return this.#channel.port2;
  }

  [Symbol.dispose](): void {
    this.#channel.port1.close();
    this.#channel.port2.close();
  }
}

test("ChannelStore counts in the store that is served, whose errors it rejects with", async () => {
  using served = new Served();
  const store = new ChannelStore({ channel: served.port });
  assertEquals(await store.count(request("a", { want: 4, max: Infinity })), { granted: 4, others: 0 });
  assertEquals(await store.total("k"), 4);
  await assertRejects(() => store.count(request("a", { seq: 0 })), Error, "late");
  const sign = { id: "a", beat: 1, floor: 0, open: 4 };
  assertEquals((await store.beat(sign, [])).map(({ id, birth }) => [id, birth]), [["a", 1]]);
  await store.reap("k", [{ id: "a", count: 4, seq: 1 }]);
  await store.leave("a");
  assertEquals([await store.total("k"), served.store.keys, served.store.instances], [0, 0, 0]);
  store.close();
});

test("ChannelStore rejects all that waits and all that comes when the other end is gone", async () => {
  const { port1, port2 } = new NodeChannel();
  const store = new ChannelStore({ channel: port2 });
  const waiting = store.total("k");
  port1.close();
  await assertRejects(() => waiting, Error, "the store is gone");
  await assertRejects(() => store.total("k"), Error, "the store is gone");
  port1.close();
  port2.close();
});

test("ChannelStore gives up the oldest of 50,000 calls that nobody answers, and goes on", async () => {
  let posted = 0;
  const store = new ChannelStore({ channel: { postMessage: () => posted++, on() {}, off() {} } });
  const oldest = store.total("k");
  let rejected = 0;
  const call = () => void store.total("k").catch(() => rejected++);
  for (let i = 1; i < 50_000; i++) call();
  assertEquals(await settled(oldest), "open");
  call();
  await assertRejects(() => oldest, Error, "the store does not answer");
  assertEquals([rejected, posted], [0, 50_001]);
  store.close();
  await turns();
  assertEquals(rejected, 50_000);
});

test("Stores with different names share a channel, and do not meet", async () => {
  const { port1, port2 } = new NodeChannel();
  const names = ["one", "two"];
  const stores = names.map((name) => new MemoryStore({ name }));
  for (const store of stores) store.serve(port1);
  const [one, two] = names.map((name) => new ChannelStore({ name, channel: port2 }));
  await Promise.all([one!.count(request("a")), two!.count(request("b", { want: 3 }))]);
  assertEquals(await Promise.all(stores.map((store) => store.total("k"))), [1, 3]);
  port1.close();
  port2.close();
});

test("MemoryStore that serves no more has all slots back", async () => {
  using served = new Served();
  const store = new ChannelStore({ channel: served.port });
  await store.count(request("a"));
  served.end();
  assertEquals(served.store.keys, 0);
  store.close();
});

test("MemoryStore has the slots back of a limiter whose port was closed", async () => {
  using served = new Served();
  const sharing = { heartbeatMs: 20, deadMs: 250, onStoreDown: "closed" } as const;
  const limits = { maxPerClient: 3 };
  await using here = new StoreLimiter(limits, served.store, sharing);
  const channel = new ChannelStore({ channel: served.port });
  await using there = new StoreLimiter(limits, channel, sharing);
  await there.accept("192.0.2.7");
  await there.accept("192.0.2.7");
  using _ = await here.accept("192.0.2.7");
  assertEquals((await here.tryAccept("192.0.2.7")).admitted, false);
  served.port.close();
  await eventually(async () => {
    using slot = await here.tryAccept("192.0.2.7");
    return slot.admitted;
  }, "a slot");
  await eventually(() => there.status === "down", "the other to notice");
  assertEquals([(await there.tryAccept("192.0.2.7")).admitted, there.open], [false, 2]);
  channel.close();
});

test("MemoryStore refuses what a worker lies about, and others count on", async () => {
  using served = new Served();
  const other = new NodeChannel();
  served.store.serve(other.port1);
  const honest = new ChannelStore({ channel: other.port2 });
  await honest.count(request("honest", { want: 4 }));
  const liar = new ChannelStore({ channel: served.port });
  const lies: [string, unknown][] = [
    ["for another", request("honest", { seq: 9 })],
    ["nothing", undefined],
    ["null", null],
    ["no key", request("a", { key: "" })],
    ["a key that is an object", request("a", { key: {} as never })],
    ["a long key", request("a", { key: "k".repeat(2_000) })],
    ["a long name", request("a".repeat(2_000))],
    ["less than nothing", request("a", { have: -5 })],
    ["no number", request("a", { have: NaN })],
    ["a fraction", request("a", { want: 0.5 })],
    ["endless", request("a", { have: Infinity })],
    ["a text", request("a", { have: "1" as never })],
    ["a limit below nothing", request("a", { max: -1 })],
  ];
  for (const [what, lie] of lies) await assertRejects(() => liar.count(lie as never), Error, undefined, what);
  const sign = { id: "a", beat: 1, floor: 0, open: 0 };
  await assertRejects(() => liar.beat({ ...sign, id: "honest" }, []), Error, "another's");
  await assertRejects(() => liar.beat(sign, Array(10_001).fill(sign)), Error);
  await assertRejects(() => liar.reap("k", "all" as never), Error);
  await liar.leave("honest");
  assertEquals([await honest.total("k"), served.store.keys], [4, 1]);
  const here = { ...sign, id: "here" };
  await served.store.beat(here, []);
  await served.store.count(request("here", { want: 3 }));
  await liar.leave("here");
  await liar.reap("k", [{ id: "here", count: 3, seq: 1 }]);
  const signs = await liar.beat(sign, [here]);
  assertEquals([signs.some(({ id }) => id === "here"), await honest.total("k")], [true, 7]);
  await served.store.leave("here");
  await served.store.reap("k", [{ id: "here", count: 3, seq: 1 }]);
  assertEquals(await honest.total("k"), 4);
  // Neither its messages nor their answers need have any form.
  for (
    const message of [
      ["connlimit"],
      ["connlimit", {}],
      ["connlimit", "lifeline"],
      ["connlimit", "limit", 7, "count"],
      ["connlimit", "limit", "c", "__proto__", 1],
    ]
  ) {
    served.port.postMessage(message);
    other.port1.postMessage(message);
  }
  await turns();
  assertEquals((await honest.count(request("honest", { seq: 2, have: 4, want: 1 }))).granted, 1);
  for (let i = 0; i < 16; i++) liar.count(request(`a${i}`, { want: 0 })).catch(() => {});
  await assertRejects(() => liar.count(request("one more")), Error, "too many instances");
  other.port1.close();
  other.port2.close();
});
