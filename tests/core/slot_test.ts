import { test } from "node:test";
import { assertStrictEquals, assertThrows } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { acceptAll } from "../support/admissions.ts";

test("Slot.release() frees once, however often and in whichever way it is called", () => {
  const limiter = new Limiter();
  const [one, other] = acceptAll(limiter, "192.0.2.7", 2);
  one!.release();
  one!.release();
  one![Symbol.dispose]();
  assertStrictEquals(one!.released, true);
  assertStrictEquals(one!.client, "192.0.2.7");
  assertStrictEquals(limiter.openFor("192.0.2.7"), 1);
  other!.release();
  assertStrictEquals(limiter.open, 0);
});

test("Slot.release() after its client came back frees its own slot and not the newer one", () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  const old = limiter.accept("192.0.2.7");
  old.release();
  const newer = limiter.accept("192.0.2.7");
  old.release();
  assertStrictEquals(limiter.openFor("192.0.2.7"), 1);
  newer.release();
  assertStrictEquals(limiter.open, 0);
});

test("Slot[Symbol.dispose]() frees at the end of a `using` block, also when an exception ends it", () => {
  const limiter = new Limiter();
  assertThrows(
    () => {
      using _ = limiter.accept("192.0.2.7");
      assertStrictEquals(limiter.open, 1);
      throw new Error("from the block");
    },
    Error,
    "from the block",
  );
  assertStrictEquals(limiter.open, 0);
});
