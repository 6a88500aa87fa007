/**
 * The options of deadlines.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { checkDeadlines, DEADLINES } from "../../src/admission/deadline_options.ts";

test("checkDeadlines() takes whole milliseconds and Infinity, and names the option and the value of anything else", () => {
  assertEquals(DEADLINES, ["firstByteTimeout", "idleTimeout", "maxAge", "onTimeout"]);
  checkDeadlines({});
  for (const name of DEADLINES.slice(0, 3)) {
    for (const value of [1, 2 ** 31 - 1, Infinity, undefined]) checkDeadlines({ [name]: value } as never);
    for (const value of [0, 0.5, -1, 2 ** 31, NaN, -Infinity]) {
      assertThrows(
        () => checkDeadlines({ [name]: value }),
        RangeError,
        `${name} must be milliseconds from 1 to 2147483647, or Infinity, got ${value}`,
      );
    }
    for (const value of ["1", null, 1n, {}]) {
      assertThrows(() => checkDeadlines({ [name]: value } as never), TypeError, `${name} must be a number`);
    }
  }
  assertThrows(() => checkDeadlines({ onTimeout: 1 as never }), TypeError, "onTimeout must be a function, got 1");
});
