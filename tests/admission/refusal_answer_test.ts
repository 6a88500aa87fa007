/**
 * What refused clients are to be sent: options, budget, failures.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  type AnswerHooks,
  checkAnswerHooks,
  checkBudget,
  type RefusalAnswer,
  RefusalAnswers,
} from "../../src/admission/refusal_answer.ts";
import { REFUSALS } from "../../src/core/slot.ts";
import { printed } from "../support/console.ts";
import { FakeClock } from "../support/fake_clock.ts";

/** The texts of so many answers, of which some may be none. */
function take(answers: RefusalAnswers<string>, count: number): (string | undefined)[] {
  const texts = Array.from({ length: count }, () => answers.take(REFUSALS.client, "a connection", String));
  return texts.map((bytes) => bytes && new TextDecoder().decode(bytes));
}

function answersOf(answer: RefusalAnswer<string>, onError?: (error: unknown) => void): RefusalAnswers<string> {
  const hooks: AnswerHooks<string> = { answer, ...onError && { onError } };
  checkAnswerHooks("listener", hooks);
  return RefusalAnswers.of(hooks)!;
}

test("RefusalAnswers.of() makes none where no answer is asked for", () => {
  assertStrictEquals(RefusalAnswers.of({}), undefined);
});

test("RefusalAnswers.take() gives a hundred answers at once and ten a second, by default within a second each", () => {
  using clock = new FakeClock();
  const answers = answersOf("busy");
  const given = () => take(answers, 300).filter((text) => text === "busy").length;
  assertStrictEquals(answers.writeDeadline, 1_000);
  assertStrictEquals(given(), 100);
  clock.pass(1_000);
  assertStrictEquals(given(), 10);
  clock.pass(3_600_000);
  assertStrictEquals(given(), 100);
});

test("RefusalAnswers.take() keeps to a budget of one's own", () => {
  using clock = new FakeClock();
  const answers = answersOf({ send: "busy", perSecond: 3, burst: 5, writeDeadline: 7 });
  assertStrictEquals(answers.writeDeadline, 7);
  assertEquals(take(answers, 6), [...Array(5).fill("busy"), undefined]);
  clock.pass(1_000);
  assertEquals(take(answers, 4), [...Array(3).fill("busy"), undefined]);
  assertEquals(take(answersOf({ send: "busy", burst: 0 }), 1), [undefined]);
});

test("RefusalAnswers.take() calls its function within the budget only, and answers nothing out of it", () => {
  using _ = new FakeClock();
  const calls: unknown[] = [];
  const texts = [undefined, "", "first", "second"];
  const answers = answersOf({ send: (...args) => texts[calls.push(args) - 1], burst: 2, perSecond: 0 });
  assertEquals(take(answers, 6), [undefined, undefined, "first", "second", undefined, undefined]);
  assertEquals(calls, Array(4).fill([REFUSALS.client, "a connection"]));
});

test("RefusalAnswers.take() reports what its function throws to onError, and without it prints it once", async () => {
  const errors: unknown[] = [];
  const send = () => {
    throw new Error("thrown");
  };
  take(answersOf(send, (error) => errors.push(error)), 2);
  assertEquals(errors.map(String), ["Error: thrown", "Error: thrown"]);
  const lines = await printed(() => take(answersOf(send), 2));
  assertEquals(lines.map(([, error]) => String(error)), ["Error: thrown"]);
});

test("checkAnswerHooks() refuses what is no answer, naming the option and the value", () => {
  const check = (answer: unknown) => () => checkAnswerHooks("listener", { answer } as AnswerHooks<never>);
  for (const answer of [undefined, "", "busy", new Uint8Array(1), () => "busy", { send: "busy" }, { send: () => "" }]) {
    check(answer)();
  }
  const expected = "answer must be a string, a Uint8Array, a function or an object, got ";
  assertThrows(check(421), TypeError, `${expected}421`);
  assertThrows(check(null), TypeError, `${expected}null`);
  assertThrows(check(true), TypeError, `${expected}true`);
  assertThrows(check([1]), TypeError, "answer must be a plain object, got an array");
  assertThrows(check(new ArrayBuffer(1)), TypeError, "answer must be a plain object, got an instance of ArrayBuffer");
  assertThrows(check({}), TypeError, "answer.send must be a string, a Uint8Array or a function, got undefined");
  assertThrows(check({ send: 421 }), TypeError, "answer.send must be a string, a Uint8Array or a function, got 421");
  const known = "known are send, writeDeadline, perSecond, burst";
  assertThrows(check({ send: "", deadline: 5 }), TypeError, `unknown option of answer "deadline"; ${known}`);
  const range = "answer.writeDeadline must be milliseconds from 0 to 2147483647, or Infinity, got -1";
  assertThrows(check({ send: "", writeDeadline: -1 }), RangeError, range);
  assertThrows(check({ send: "", writeDeadline: "5" }), TypeError, 'answer.writeDeadline must be a number, got "5"');
  assertThrows(
    check({ send: "", writeDeadline: Infinity }),
    RangeError,
    "answer.writeDeadline must be finite, got Infinity",
  );
  assertThrows(check({ send: "", perSecond: -1 }), RangeError, "answer.perSecond must be a whole number from 0");
  assertThrows(check({ send: "", burst: 0.5 }), RangeError, "answer.burst must be a whole number from 0");
});

test("checkAnswerHooks() checks the hooks beside the answer, and checkBudget() a budget alone", () => {
  const check = (options: unknown) => () => checkAnswerHooks("listener", options as AnswerHooks<never>, ["signal"]);
  assertThrows(
    check({ awnser: "" }),
    TypeError,
    'unknown listener option "awnser"; known are onRefused, onError, answer',
  );
  assertThrows(check({ onRefused: "log" }), TypeError, 'onRefused must be a function, got "log"');
  check({ signal: undefined })();
  checkBudget({ writeDeadline: 5, perSecond: Infinity, burst: 0 });
  assertThrows(() => checkBudget({ send: "" } as never), TypeError, 'unknown option "send"');
});
