/**
 * Stores that agree on the one of them that counts for all.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { SiblingStore } from "../../src/shared/sibling_store.ts";
import { eventually } from "../support/net.ts";

/** Some stores of one name. */
class Siblings implements Disposable {
  readonly name = `test ${Math.random()}`;
  readonly all: SiblingStore[] = [];
  /** Stores keep no process running, so that it would end before the tests do. */
  readonly #running = setInterval(() => {}, 1_000);
  #seq = 0;

  add(count: number): void {
    for (let i = 0; i < count; i++) this.all.push(new SiblingStore({ name: this.name }));
  }

  get leaders(): SiblingStore[] {
    return this.all.filter(({ leads }) => leads);
  }

  /** Waits until all of them count in the store of one. */
  async agree(): Promise<void> {
    await eventually(async () => {
      const totals = await Promise.allSettled(this.all.map((store) => store.total("k")));
      return totals.every(({ status }) => status === "fulfilled");
    }, "all to have a store");
    assertEquals(this.leaders.length, 1);
  }

  async take(store: SiblingStore, id: string, want: number): Promise<number> {
    const request = { key: "k", id, seq: ++this.#seq, since: 1, unsure: false, have: 0, want, max: 10, split: 0 };
    return (await store.count(request)).granted;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#running);
    for (const store of this.all) store.close();
  }
}

test("SiblingStore counts with all others of its name, also with those that come later", async () => {
  using siblings = new Siblings();
  siblings.add(4);
  await assertRejects(() => Promise.resolve(siblings.all[0]!.total("k")), Error, "no thread has the store yet");
  await siblings.agree();
  const [leader] = siblings.leaders;
  siblings.add(2);
  await siblings.agree();
  assertEquals(siblings.leaders, [leader]);
  const taken = [];
  for (const [at, store] of siblings.all.entries()) taken.push(await siblings.take(store, `${at}`, 3));
  assertEquals(taken, [3, 3, 3, 1, 0, 0]);
  using others = new Siblings();
  others.add(1);
  await others.agree();
  assertEquals(await others.all[0]!.total("k"), 0);
});

test("SiblingStore goes on in another when the one that has it is closed, and has forgotten all", async () => {
  using siblings = new Siblings();
  siblings.add(3);
  await siblings.agree();
  const [leader] = siblings.leaders;
  assertEquals(await siblings.take(siblings.all[0]!, "a", 3), 3);
  siblings.all.splice(siblings.all.indexOf(leader!), 1);
  leader!.close();
  leader!.close();
  await assertRejects(() => Promise.resolve(leader!.total("k")));
  await siblings.agree();
  assertEquals(await siblings.all[0]!.total("k"), 0);
});

test("SiblingStore that has the store gives way to one before it, and to no other", async () => {
  using siblings = new Siblings();
  siblings.add(2);
  await siblings.agree();
  const [leader] = siblings.leaders;
  const lobby = new BroadcastChannel(`connlimit ${siblings.name}`);
  for (const message of ["hello", ["connlimit"], ["connlimit", "leads"], ["connlimit", "join", {}, []], null]) {
    lobby.postMessage(message);
  }
  lobby.postMessage(["connlimit", "leads", "~"]);
  await siblings.agree();
  assertEquals(siblings.leaders, [leader]);
  lobby.postMessage(["connlimit", "leads", "!"]);
  await eventually(() => siblings.leaders.length === 0, "the store to be given up");
  lobby.postMessage(["connlimit", "leaves", "!"]);
  await siblings.agree();
  assert(siblings.leaders.length === 1);
  lobby.close();
});
