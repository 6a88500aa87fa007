/**
 * Admitted connections wait for a consumer, or a consumer for them.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { ReadyQueue } from "../../src/conn/ready_queue.ts";
import { collectGarbage } from "../../testing/memory.ts";
import { eventually } from "../support/net.ts";
import { nameOfError } from "../support/failures.ts";
import { settled, turns } from "../support/settled.ts";

/** The values of the next connections. */
async function take<C>(queue: ReadyQueue<C>, count: number): Promise<(C | undefined)[]> {
  const values: (C | undefined)[] = [];
  for (let i = 0; i < count; i++) values.push((await queue.next()).value);
  return values;
}

test("ReadyQueue yields connections in the order in which they came", async () => {
  const queue = new ReadyQueue<string>();
  for (const conn of ["a", "b", "c"]) queue.push(conn);
  assertStrictEquals(queue.wanted, false);
  assertEquals(await queue.next(), { done: false, value: "a" });
  queue.push("d");
  assertEquals(await take(queue, 3), ["b", "c", "d"]);
});

test("ReadyQueue hands a connection to the consumer that waits, and keeps it no longer", async () => {
  const queue = new ReadyQueue<string>();
  const next = queue.next();
  assertEquals([queue.wanted, await settled(next)], [true, "open"]);
  queue.push("a");
  assertStrictEquals(queue.wanted, false);
  queue.push("b");
  assertEquals([await next, queue.clear()], [{ done: false, value: "a" }, ["b"]]);
});

test("ReadyQueue goes on after it has been empty", async () => {
  const queue = new ReadyQueue<number>();
  for (let i = 0; i < 5; i++) {
    queue.push(i);
    assertEquals(await take(queue, 1), [i]);
    const next = queue.next();
    queue.push(i);
    assertEquals(await next, { done: false, value: i });
    queue.push(i);
    queue.delete(i);
    queue.push(i);
    assertEquals(queue.clear(), [i]);
  }
});

test("ReadyQueue.delete() forgets a connection at the front, in the middle or at the end, and no other", async () => {
  for (const gone of ["a", "b", "c", "none"]) {
    const queue = new ReadyQueue<string>();
    for (const conn of ["a", "b", "c"]) queue.push(conn);
    queue.delete(gone);
    queue.delete(gone);
    const left = ["a", "b", "c"].filter((conn) => conn !== gone);
    assertEquals(await take(queue, left.length), left);
    assertEquals(queue.clear(), []);
  }
});

test("ReadyQueue.next() rejects while another call waits, which goes on waiting", async () => {
  const queue = new ReadyQueue<string>();
  const first = queue.next();
  assertStrictEquals(await nameOfError(queue.next()), "Busy");
  assertStrictEquals(queue.wanted, true);
  queue.push("a");
  assertEquals(await first, { done: false, value: "a" });
});

test("ReadyQueue.fail() rejects the call that waits, and no later one", async () => {
  const queue = new ReadyQueue<string>();
  queue.fail(new Error("nobody waits"));
  const next = queue.next();
  queue.fail(new Error("failed"));
  await assertRejects(() => next, Error, "failed");
  assertStrictEquals(queue.wanted, false);
  queue.push("a");
  assertEquals(await queue.next(), { done: false, value: "a" });
});

test("ReadyQueue.end() ends the call that waits, and every later one", async () => {
  const queue = new ReadyQueue<string>();
  const next = queue.next();
  queue.end();
  queue.end();
  assertEquals([await next, queue.wanted], [{ done: true, value: undefined }, false]);
  for (let i = 0; i < 2; i++) assertEquals(await queue.next(), { done: true, value: undefined });
});

test("ReadyQueue that has ended yields what is in it before it is done", async () => {
  const queue = new ReadyQueue<string>();
  queue.push("a");
  queue.push("b");
  queue.end();
  assertEquals(await queue.next(), { done: false, value: "a" });
  assertEquals(await queue.next(), { done: false, value: "b" });
  assertEquals(await queue.next(), { done: true, value: undefined });
});

test("ReadyQueue.clear() empties the queue and returns what was in it, in order", async () => {
  const queue = new ReadyQueue<string>();
  for (const conn of ["a", "b", "c"]) queue.push(conn);
  await take(queue, 1);
  assertEquals([queue.clear(), queue.clear()], [["b", "c"], []]);
  const next = queue.next();
  assertStrictEquals(await settled(next), "open");
  queue.push("d");
  assertEquals(await next, { done: false, value: "d" });
});

test("ReadyQueue takes very many connections, and yields the first as fast as the last", async () => {
  const queue = new ReadyQueue<number>();
  const count = 200_000;
  for (let i = 0; i < count; i++) queue.push(i);
  for (let i = 0; i < count; i += 2) queue.delete(i);
  for (let i = 1; i < count; i += 2) {
    const { value } = await queue.next();
    if (value !== i) assertStrictEquals(value, i);
  }
  assertEquals(queue.clear(), []);
});

test("ReadyQueue keeps nothing of what it has yielded, forgotten or cleared, once it has yielded the next", async () => {
  const queue = new ReadyQueue<object>();
  const refs: WeakRef<object>[] = [];
  const push = () => {
    const conn = {};
    refs.push(new WeakRef(conn));
    queue.push(conn);
    return conn;
  };
  await (async () => {
    for (let i = 0; i < 100; i++) push();
    for (let i = 0; i < 50; i++) await queue.next();
    for (let i = 0; i < 50; i++) queue.delete(push());
    queue.clear();
    const next = queue.next();
    push();
    await next;
  })();
  // The iterator of a set keeps the table of what is gone until it moves on.
  queue.push({});
  await queue.next();
  const left = () => refs.filter((ref) => ref.deref() !== undefined).length;
  // What a turn has looked at stays until its end, and a runtime's stack may still hold the last ones.
  await eventually(() => {
    collectGarbage();
    return left() < 10;
  }, "what was in the queue to be collected");
});

const step = fc.record({
  kind: fc.constantFrom("push", "push", "push", "next", "next", "delete", "clear"),
  which: fc.nat(),
});

test("ReadyQueue does what an array would do", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
      const queue = new ReadyQueue<number>();
      const model: number[] = [];
      const waiting: number[] = [];
      const taken: (number | undefined)[] = [];
      let pushed = 0;
      for (const { kind, which } of steps) {
        if (kind === "push") {
          if (queue.wanted) waiting.push(pushed);
          else model.push(pushed);
          queue.push(pushed++);
        } else if (kind === "next" && !queue.wanted) {
          const next = model.shift();
          if (next !== undefined) waiting.push(next);
          queue.next().then(({ value }) => void taken.push(value));
        } else if (kind === "delete" && model.length > 0) {
          queue.delete(model.splice(which % model.length, 1)[0]!);
        } else if (kind === "clear") {
          assertEquals(queue.clear(), model.splice(0));
        }
      }
      await turns();
      assertEquals(taken, waiting);
      assertEquals(queue.clear(), model);
    }),
    { numRuns: 500 },
  );
});
