/**
 * Whatever thenable a handler returns, its request is answered as if it were awaited, and its slot comes back.
 *
 * @module
 */

import { test } from "node:test";
import { assertStrictEquals } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { limitRequests } from "@connlimit/connlimit/http";
import type { Handler } from "../support/http/serve.ts";
import { Served } from "../support/http/served.ts";

type Settle = (value: unknown) => void;

const ok = () => new Response("ok");

function fails(): never {
  throw new Error("fails");
}

class ThrowingPromise extends Promise<Response> {
  override then(): never {
    fails();
  }
}

/** What handlers return, and whether it is answered with `200` where it is awaited. */
const THENABLES: Readonly<Record<string, [returns: () => unknown, ok: boolean]>> = {
  "calls back at once": [() => ({ then: (resolve: Settle) => resolve(ok()) }), true],
  "calls back later": [() => ({ then: (resolve: Settle) => void setTimeout(resolve, 5, ok()) }), true],
  "rejects": [() => ({ then: (_: Settle, reject: Settle) => reject(new Error("no")) }), false],
  "throws in then()": [() => ({ then: fails }), false],
  "calls back and throws": [() => ({
    then(resolve: Settle) {
      resolve(ok());
      fails();
    },
  }), true],
  "calls back again and again": [() => ({
    then(resolve: Settle, reject: Settle) {
      resolve(ok());
      resolve(new Response("no", { status: 404 }));
      reject(new Error("late"));
    },
  }), true],
  "throws where then is read": [() => Object.defineProperty({}, "then", { get: fails }), false],
  "is a function": [() => Object.assign(() => {}, { then: (resolve: Settle) => resolve(ok()) }), true],
  "resolves to another one": [() => ({
    then: (resolve: Settle) => resolve({ then: (again: Settle) => again(ok()) }),
  }), true],
  "is a promise with a then() of its own": [() => Object.assign(Promise.resolve(ok()), { then: fails }), true],
  "is a promise of a class whose then() throws": [() => new ThrowingPromise((resolve) => resolve(ok())), false],
  "is a promise whose constructor cannot be read": [
    () => Object.defineProperty(Promise.resolve(ok()), "constructor", { get: fails }),
    false,
  ],
};

for (const [name, [returns, isOk]] of Object.entries(THENABLES)) {
  test(`limitRequests() frees the slot where what a handler returns ${name}`, async () => {
    await using server = new Served(returns as Handler);
    for (let i = 0; i < 3; i++) {
      assertStrictEquals(await server.status("GET /"), isOk ? 200 : 500);
      await server.freed();
    }
  });
}

test("limitRequests() frees the slots of all limiters around a thenable that throws in then()", async () => {
  const inner = new Limiter({ maxPerClient: 1 });
  await using server = new Served(limitRequests(inner, () => ({ then: fails })) as unknown as Handler);
  for (let i = 0; i < 3; i++) {
    assertStrictEquals(await server.status("GET /"), 500);
    await server.freed();
    assertStrictEquals(inner.open, 0);
  }
});

test("limitRequests() calls then() of what a handler returns once, since it may start work", async () => {
  let calls = 0;
  const lazy = () => ({
    then(resolve: Settle) {
      calls++;
      resolve(ok());
    },
  });
  await using server = new Served(lazy as unknown as Handler);
  assertStrictEquals(await server.status("GET /"), 200);
  await server.freed();
  assertStrictEquals(calls, 1);
});

test("limitRequests() passes a promise of the language on as it is", () => {
  const promise = Promise.resolve(ok());
  const limited = limitRequests({}, () => promise, { client: () => "192.0.2.7" });
  assertStrictEquals(limited(new Request("http://localhost/"), { completed: Promise.resolve() }), promise);
});
