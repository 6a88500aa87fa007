/**
 * A stand-in for `@std/assert` where JSR cannot be reached: the functions that the tests use, over `node:assert`.
 *
 * @module
 */

import nodeAssert from "node:assert/strict";

// deno-lint-ignore no-explicit-any
type ErrorClass<E extends Error> = new (...args: any[]) => E;

/** Fails unless `condition` is truthy. */
export function assert(condition: unknown, message = ""): asserts condition {
  nodeAssert.ok(condition, given(message));
}

/** Fails unless the values are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  nodeAssert.deepEqual(actual, expected, given(message));
}

/** Fails unless the values are the same. */
export function assertStrictEquals<T>(actual: unknown, expected: T, message?: string): asserts actual is T {
  nodeAssert.equal(actual, expected, given(message));
}

/** Fails unless `actual` is an instance. */
export function assertInstanceOf<E extends Error>(
  actual: unknown,
  expected: ErrorClass<E>,
  message?: string,
): asserts actual is E {
  nodeAssert.ok(actual instanceof expected, message ?? `expected ${expected.name}, got ${actual}`);
}

/** Fails unless `expected` is part of `actual`. */
export function assertStringIncludes(actual: string, expected: string, message?: string): void {
  nodeAssert.ok(
    actual.includes(expected),
    message ?? `${JSON.stringify(expected)} is not in ${JSON.stringify(actual)}`,
  );
}

/** Fails unless `actual` is at most `expected`. */
export function assertLessOrEqual<T>(actual: T, expected: T, message?: string): void {
  nodeAssert.ok(actual <= expected, message ?? `expected ${actual} to be at most ${expected}`);
}

/** Fails unless `fn` throws an `ErrorClass` whose message includes `messageIncludes`. Returns the error. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  errorClass: ErrorClass<E> = Error as unknown as ErrorClass<E>,
  messageIncludes = "",
  message?: string,
): E {
  try {
    fn();
  } catch (error) {
    return check(error, errorClass, messageIncludes, message);
  }
  throw new nodeAssert.AssertionError({ message: message ?? `expected ${errorClass.name} to be thrown` });
}

/** Fails unless `fn` rejects with an `ErrorClass` whose message includes `messageIncludes`. Resolves to the error. */
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClass: ErrorClass<E> = Error as unknown as ErrorClass<E>,
  messageIncludes = "",
  message?: string,
): Promise<E> {
  try {
    await fn();
  } catch (error) {
    return check(error, errorClass, messageIncludes, message);
  }
  throw new nodeAssert.AssertionError({ message: message ?? `expected a rejection with ${errorClass.name}` });
}

function check<E extends Error>(error: unknown, errorClass: ErrorClass<E>, includes: string, message?: string): E {
  assertInstanceOf(error, errorClass, message);
  assertStringIncludes(error.message, includes, message);
  return error;
}

/** To Node `undefined` is no message, which not all versions of its types allow. */
function given(message: string | undefined): string {
  return (message || undefined) as string;
}
