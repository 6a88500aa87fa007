import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { Limiter, LimitReachedError, type LimitsOptions, type Peer, RefusedError } from "@connlimit/connlimit";

test("Limiter.accept() throws LimitReachedError for a limit, and RefusedError where no wait helps", () => {
  const errorFor = (limits: LimitsOptions, peer: Peer) => {
    const error = assertThrows(() => new Limiter(limits).accept(peer), RefusedError);
    return [error.name, error instanceof LimitReachedError, error.reason];
  };
  const aggregates = [{ ipv4Prefix: 24, max: 0 }];
  assertEquals(errorFor({ maxPerClient: 0 }, "192.0.2.7"), ["LimitReachedError", true, "client"]);
  assertEquals(errorFor({ aggregates }, "192.0.2.7"), ["LimitReachedError", true, "aggregate"]);
  assertEquals(errorFor({ maxTotal: 0 }, "192.0.2.7"), ["LimitReachedError", true, "total"]);
  const networks = { "192.0.2.0/24": { maxPerClient: 0 } };
  assertEquals(errorFor({ networks }, "192.0.2.7"), ["RefusedError", false, "blocked"]);
  assertEquals(errorFor({}, "nonsense"), ["RefusedError", false, "unknown-address"]);
});

test("LimitReachedError tells no limits and no counts", () => {
  const limiter = new Limiter({ maxPerClient: 0 });
  const error = assertThrows(() => limiter.accept("192.0.2.7"), LimitReachedError);
  assertEquals(/\d/.test(error.message), false);
});
