/**
 * How often a store is asked that answers some questions only.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertStrictEquals } from "@std/assert";
import { MemoryStore } from "../../src/shared/memory_store.ts";
import { checkSharing } from "../../src/shared/options.ts";
import { SharedAdmission } from "../../src/shared/shared_admission.ts";
import type { CountReply } from "../../src/shared/store.ts";
import { ModelClock, settle } from "../support/model/model_clock.ts";

/** Acknowledges signs of life, and fails to count: some nodes of a Cluster are down, or its keys are of another type. */
class FailingStore extends MemoryStore {
  asked = 0;

  override count(): Promise<CountReply> {
    // The test would go on for ever.
    if (++this.asked > 100_000) return new Promise(() => {});
    return Promise.reject(new Error("CLUSTERDOWN"));
  }
}

test("a store that acknowledges signs of life and fails to count is asked at a bounded pace", async () => {
  const clock = new ModelClock();
  const store = new FailingStore();
  const heartbeatMs = 3_000;
  const options = checkSharing({ heartbeatMs, deadMs: 7_000, onStoreDown: "open" });
  const admission = new SharedAdmission({ maxPerClient: 5 }, store, options, clock.clockOf({}, 0), "a");
  await settle();
  const slots = [];
  for (let i = 0; i < 5; i++) slots.push(await admission.tryAccept(`192.0.2.${i}`));
  for (const slot of slots) assert(slot.admitted);
  const before = store.asked;
  for (const end = clock.now + heartbeatMs; clock.next <= end;) {
    clock.step();
    for (let i = 0; i < 20; i++) await settle();
  }
  // Ten signs a heartbeat at most, and five keys after each.
  assert(store.asked - before <= 55, `asked ${store.asked - before} times in a heartbeat`);
  assert(store.asked - before > 0, "it is not forgotten");
  assertStrictEquals(admission.local.open, 5);
});
