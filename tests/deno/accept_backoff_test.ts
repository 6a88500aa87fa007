/**
 * The waits between accepts that fail.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { AcceptBackoff } from "../../src/deno/accept_backoff.ts";

function errorOf(code: string): Error {
  return Object.assign(new Error(code), { code });
}

test("AcceptBackoff waits longer after each lack of descriptors, up to a bound, and briefly again after a success", () => {
  const backoff = new AcceptBackoff();
  const waits = Array.from({ length: 8 }, () => backoff.fail(errorOf("EMFILE")));
  assertEquals(waits, [5, 10, 20, 40, 80, 160, 200, 200]);
  backoff.reset();
  assertStrictEquals(backoff.fail(errorOf("ENFILE")), 5);
});

test("AcceptBackoff never waits for what clients cause, however often", () => {
  const backoff = new AcceptBackoff();
  const reset = Object.assign(new Error("Transport endpoint is not connected"), { name: "NotConnected" });
  for (const error of [reset, errorOf("ENOTCONN"), errorOf("ECONNABORTED"), errorOf("ECONNRESET"), errorOf("EPROTO")]) {
    for (let count = 0; count < 1_000; count++) assertStrictEquals(backoff.fail(error), 0);
  }
});

test("AcceptBackoff waits after every tenth failure in a row whose reason is unknown", () => {
  const backoff = new AcceptBackoff();
  const waits = (count: number, error: unknown) => Array.from({ length: count }, () => backoff.fail(error));
  const none = Array.from({ length: 9 }, () => 0);
  assertEquals(waits(30, new Error("broken for good")), [...none, 5, ...none, 10, ...none, 20]);
  backoff.reset();
  assertEquals(waits(10, undefined), [...none, 5]);
  for (let count = 0; count < 100; count++) {
    assertEquals(waits(9, new Error("broken now and then")), none);
    backoff.reset();
  }
});
