/**
 * An accept loop has a share of each turn of the event loop.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { TurnShare } from "../../src/conn/turn_share.ts";
import { FakeClock } from "../support/fake_clock.ts";

/** A share whose turns are as long as is said. */
class Turns implements Disposable {
  readonly share = new TurnShare();
  readonly clock = new FakeClock();
  taken = 0;

  /** Asks to yield, where a turn takes so many milliseconds. Resolves to whether it yielded. */
  async yields(milliseconds: number): Promise<boolean> {
    const before = this.taken;
    const turn = setImmediate(() => {
      this.taken++;
      this.clock.pass(milliseconds);
    });
    await this.share.yield();
    clearImmediate(turn);
    return this.taken > before;
  }

  /** An accept that takes so many milliseconds. */
  accept(milliseconds: number): void {
    const start = this.share.beforeAccept();
    this.clock.pass(milliseconds);
    this.share.afterAccept(start);
  }

  [Symbol.dispose](): void {
    this.clock[Symbol.dispose]();
  }
}

test("TurnShare.yield() yields each time if turns take no time", async () => {
  using turns = new Turns();
  for (let count = 0; count < 3; count++) assertStrictEquals(await turns.yields(0), true);
});

test("TurnShare.yield() does nothing for a quarter of the last turn's time, and is due no more", async () => {
  using turns = new Turns();
  assertStrictEquals(await turns.yields(8), true);
  turns.share.due = true;
  for (const [pass, yields] of [[1, false], [0.75, false], [0.25, true], [1.75, false], [0.25, true]] as const) {
    turns.clock.pass(pass);
    assertEquals([pass, await turns.yields(8)], [pass, yields]);
    assertStrictEquals(turns.share.due, false);
  }
  // A short one ends it.
  turns.clock.pass(2);
  assertStrictEquals(await turns.yields(0.1), true);
  turns.clock.pass(0.25);
  assertStrictEquals(await turns.yields(0.1), true);
});

test("TurnShare.yield() takes ten milliseconds at most, as after a suspension of the process", async () => {
  using turns = new Turns();
  assertStrictEquals(await turns.yields(3_600_000), true);
  turns.clock.pass(9.75);
  assertStrictEquals(await turns.yields(1), false);
  turns.clock.pass(0.25);
  assertStrictEquals(await turns.yields(1), true);
});

test("TurnShare.afterAccept() renews the share where the runtime has yielded, and not otherwise", async () => {
  using turns = new Turns();
  await turns.yields(20);
  turns.accept(16);
  turns.clock.pass(3.75);
  assertStrictEquals(await turns.yields(20), false);
  turns.clock.pass(0.25);
  turns.accept(0.5);
  assertStrictEquals(await turns.yields(0.1), true);
  // A share too short for that is not renewed by the wait for a client.
  turns.accept(100);
  assertStrictEquals(await turns.yields(0.1), true);
});

test("TurnShare.afterAccept() takes a share of short turns after a long one", async () => {
  using turns = new Turns();
  await turns.yields(40);
  let [own, others] = [0, 0];
  // A flood in which the runtime yields after 128 accepts, which take 5 ms in all.
  for (let accepted = 1; own + others < 1_000; accepted++) {
    turns.clock.pass(5 / 128);
    own += 5 / 128;
    if (accepted % 128 === 0) {
      turns.accept(3);
      others += 3;
    }
    if (await turns.yields(3)) others += 3;
  }
  assert(own / (own + others) < 0.25, `${own} of ${own + others} ms`);
});
