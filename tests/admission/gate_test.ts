/**
 * A gate without a pending stage hands each connection to its port at once.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { type Admission, Limiter } from "@connlimit/connlimit";
import { createGate } from "../../src/admission/gate.ts";
import { PendingStage } from "../../src/admission/pending_stage.ts";
import { REFUSALS } from "../../src/core/slot.ts";
import { FakePort } from "../support/fake_port.ts";
import { throwing } from "../support/failures.ts";

for (const pending of [undefined, new PendingStage<string>()]) {
  const name = pending === undefined ? "createGate()" : "createGate() with a pending stage";

  test(`${name} admits and refuses in the same turn, and returns what the port does`, () => {
    const limiter = new Limiter({ maxPerClient: 1 });
    const port = new FakePort();
    const offer = createGate(port, limiter, {}, pending);
    assertStrictEquals(offer("a"), "admit a");
    assertStrictEquals(offer("a"), "refuse a: client");
    assertStrictEquals(offer("b"), "admit b");
    assertEquals(port.log, ["admit a", "refuse a: client", "admit b"]);
    assertEquals(port.slots.map(({ client, released }) => [client, released]), [["a", false], ["b", false]]);
    const { open, admitted, pending: waiting, refusedBy } = limiter.stats();
    assertEquals([open, admitted, waiting, refusedBy.client], [2, 2, 0, 1]);
  });

  test(`${name} calls onRefused with what the port presents, before the port refuses`, () => {
    const port = new FakePort();
    const calls: unknown[][] = [];
    const onRefused = (...args: unknown[]) => void calls.push([...args, ...port.log]);
    const offer = createGate(port, new Limiter({ maxPerClient: 0 }), { onRefused }, pending);
    offer("a");
    assertEquals(calls, [[REFUSALS.client, "A", "present a"]]);
    assertEquals(port.log, ["present a", "refuse a: client"]);
  });

  test(`${name} refuses where onRefused throws, and tells onError`, () => {
    const port = new FakePort();
    const errors: unknown[] = [];
    const hooks = { onRefused: throwing("thrown"), onError: (error: unknown) => void errors.push(error) };
    const offer = createGate(port, new Limiter({ maxPerClient: 0 }), hooks, pending);
    assertStrictEquals(offer("a"), "refuse a: client");
    assertEquals(errors, ["thrown"]);
  });

  test(`${name} takes the answers of a limiter of another make`, () => {
    const port = new FakePort();
    const limiter = new Limiter();
    const asked: unknown[] = [];
    const offer = createGate(
      port,
      {
        tryAccept(peer): Admission {
          asked.push(peer);
          return asked.length === 1 ? limiter.tryAccept(peer) : REFUSALS.total;
        },
      },
      {},
      pending,
    );
    assertEquals([offer("a"), offer("b")], ["admit a", "refuse b: total"]);
    assertEquals(asked, [{ key: "a" }, { key: "b" }]);
    assertEquals(port.slots.map(({ client }) => client), ["a"]);
  });
}
