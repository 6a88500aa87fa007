import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { callHook } from "../../src/admission/hooks.ts";
import { printed } from "../support/console.ts";
import { throwing } from "../support/failures.ts";

const failing = (message: string) => throwing(new Error(message));

test("callHook() hands its arguments to the hook, and does without one", () => {
  const calls: unknown[][] = [];
  callHook((...args: unknown[]) => void calls.push(args), undefined, 1, "two");
  callHook(undefined, undefined);
  assertEquals(calls, [[1, "two"]]);
});

test("callHook() tells onError what a hook throws or rejects with", async () => {
  const errors: unknown[] = [];
  callHook(failing("thrown"), (error) => void errors.push(error));
  callHook(() => Promise.reject(new Error("rejected")), (error) => void errors.push(error));
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(errors.map((error) => (error as Error).message), ["thrown", "rejected"]);
});

test("callHook() without onError prints the first failure of each hook", async () => {
  const [one, other] = [failing("one"), failing("other")];
  const calls = await printed(() => {
    for (const hook of [one, one, other, one, other]) callHook(hook, undefined);
  });
  assertEquals(calls.map(([, error]) => (error as Error).message), ["one", "other"]);
});

test("callHook() prints the first failure of onError itself", async () => {
  const onError = failing("onError");
  const calls = await printed(() => {
    for (let i = 0; i < 3; i++) callHook(failing("hook"), onError);
  });
  assertEquals(calls.map(([, error]) => (error as Error).message), ["onError"]);
});

test("callHook() survives a hook whose result has a `then` that throws", () => {
  const errors: unknown[] = [];
  const result = {
    get then(): never {
      throw new Error("then");
    },
  };
  callHook(() => result, (error) => void errors.push(error));
  assertStrictEquals(errors.length, 1);
});
