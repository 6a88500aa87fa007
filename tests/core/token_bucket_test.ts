import { test } from "node:test";
import { assertStrictEquals } from "@std/assert";
import { TokenBucket } from "../../src/core/token_bucket.ts";

test("TokenBucket.take() allows a burst, and then as many a second as it is told", () => {
  let now = 0;
  const bucket = new TokenBucket(10, 3, () => now);
  const takeAll = () => {
    let taken = 0;
    while (bucket.take()) taken++;
    return taken;
  };
  assertStrictEquals(takeAll(), 3);
  now += 99;
  assertStrictEquals(takeAll(), 0);
  now += 1;
  assertStrictEquals(takeAll(), 1);
  now += 250;
  assertStrictEquals(takeAll(), 2);
  now += 50;
  assertStrictEquals(takeAll(), 1, "a half that was left is not lost");
  now += 60_000;
  assertStrictEquals(takeAll(), 3);
  assertStrictEquals(takeAll(), 0);
  bucket.giveBack();
  assertStrictEquals(takeAll(), 1);
  now += 60_000;
  bucket.giveBack();
  assertStrictEquals(takeAll(), 3, "no more than the burst");
  assertStrictEquals(new TokenBucket(Infinity, 0, () => now).take(), false);
});
