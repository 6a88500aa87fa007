/**
 * How long until the slots of an instance that has died are free, whenever in between two heartbeats that was.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertStrictEquals } from "@std/assert";
import { ModelClock, settle } from "../support/model/model_clock.ts";
import { ModelInstance, PACE } from "../support/model/model_instance.ts";
import { ModelNetwork } from "../support/model/model_network.ts";
import { ModelStore } from "../support/model/model_store.ts";

const { heartbeatMs, deadMs, deadlineMs } = PACE;
const CLIENT = "192.0.2.7";

/** Milliseconds from the death of an instance until another one has its slot. */
async function measure(startsAt: number, diesAt: number): Promise<number> {
  const clock = new ModelClock();
  const network = new ModelNetwork(new ModelStore());
  const start = (id: string) => new ModelInstance(id, { maxPerClient: 1 }, "closed", clock, network);
  const pass = async (until: number) => {
    for (;;) {
      network.flow(() => {});
      await settle();
      if (network.messages.length > 0) continue;
      if (clock.next > until) break;
      clock.step();
    }
    clock.now = until;
  };
  const dying = start("i0");
  await pass(startsAt);
  const other = start("i1");
  await pass(5 * heartbeatMs);
  dying.accept(CLIENT);
  await pass(6 * heartbeatMs + diesAt);
  assertStrictEquals(dying.open(), 1);
  dying.alive = false;
  clock.stop(dying);
  network.forget(dying);
  const since = clock.now;
  while (other.open() === 0 && clock.now - since < 10 * deadMs) {
    other.accept(CLIENT);
    await pass(clock.now + 100);
  }
  return clock.now - since;
}

test("the slots of an instance that dies are free a heartbeat after deadMs, for those who ask all the time", async () => {
  for (let startsAt = 0; startsAt < heartbeatMs; startsAt += 500) {
    for (let diesAt = 0; diesAt < heartbeatMs; diesAt += 500) {
      const took = await measure(startsAt, diesAt);
      const most = deadMs + heartbeatMs + 2 * deadlineMs + heartbeatMs / 5;
      assert(took <= most, `started at ${startsAt}, died at ${diesAt}: ${took} ms, at most ${most}`);
      assert(took > deadMs - heartbeatMs, `started at ${startsAt}, died at ${diesAt}: ${took} ms`);
    }
  }
});
