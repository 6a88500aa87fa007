/**
 * What the console shows of a limiter.
 *
 * @module
 */

import { test } from "node:test";
import { inspect } from "node:util";
import { assert, assertEquals } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { isDeno } from "../support/platform.ts";

const INSPECTS = [inspect, ...isDeno ? [Deno.inspect as typeof inspect] : []];

for (const inspect of INSPECTS) {
  test(`console.log() shows what is open, the clients and the limits of a limiter, by ${inspect.name} of the runtime`, () => {
    const limiter = new Limiter({ maxPerClient: 7 });
    limiter.accept("192.0.2.7");
    limiter.accept("192.0.2.7");
    const text = inspect({ limiter }).replaceAll(/\s+/g, " ");
    assert(text.startsWith("{ limiter: Limiter { open: 2, clients: 1, limits: { maxPerClient: 7, "), text);
    // It has no counts.
    assert(inspect(Limiter.prototype).endsWith("{}"));
  });
}

test("What the console shows is no property of a limiter", () => {
  const limiter = new Limiter();
  assertEquals(Object.keys(limiter), []);
  assertEquals(JSON.stringify(limiter), "{}");
});
