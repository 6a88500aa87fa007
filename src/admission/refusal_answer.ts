/**
 * What refused clients are sent before their connections are closed, on every adapter of connections.
 *
 * @module
 */

import type { Refusal } from "../core/slot.ts";
import { TokenBucket } from "../core/token_bucket.ts";
import { checkCount, checkOptions, checkTimeout, typeError } from "../core/validate.ts";
import { checkHooks, type ErrorHook, hookFailed, isThenable, type RefusalHooks } from "./hooks.ts";

/**
 * What a refused client is sent: a text or bytes, the same for all; or a function that returns them, or `undefined` to
 * close the connection without an answer. The function is called after `onRefused`, within the budget only.
 *
 * @typeParam C The connections.
 */
export type AnswerMessage<C> =
  | string
  | Uint8Array
  | ((refusal: Refusal, conn: C) => string | Uint8Array | undefined);

/**
 * How many refused clients are answered, and how long that may take. A connection that is being answered has a descriptor
 * and no slot; `burst` + `perSecond` × `writeDeadline` bounds how many there are. Each listener or server has a budget of
 * its own.
 */
export interface AnswerBudget {
  /**
   * Milliseconds after which the connection is closed, whether or not the client has taken the answer: 0 to 2,147,483,647.
   * It is closed earlier when the client closes. It cannot be `Infinity`: a client that never leaves would keep its socket
   * for ever.
   *
   * @default {1_000}
   */
  readonly writeDeadline?: number;
  /**
   * Answers per second: a whole number, or `Infinity`. Connections beyond are closed without one, which costs less.
   *
   * @default {10}
   */
  readonly perSecond?: number;
  /**
   * Answers at once, after a while without any: a whole number, or `Infinity`.
   *
   * @default {100}
   */
  readonly burst?: number;
}

/**
 * An answer with a budget of its own.
 *
 * @typeParam C The connections.
 */
export interface AnswerOptions<C> extends AnswerBudget {
  /** What is sent. */
  readonly send: AnswerMessage<C>;
}

/**
 * An answer to refused clients.
 *
 * @typeParam C The connections.
 */
export type RefusalAnswer<C> = AnswerMessage<C> | AnswerOptions<C>;

/**
 * Hooks that observe refusals, and an answer.
 *
 * @typeParam C The connections.
 */
export interface AnswerHooks<C> extends RefusalHooks<C> {
  /**
   * What refused clients are sent before their connections are closed: a text, bytes, a function that returns them, or an
   * object with one of these as `send` and with a budget. What the function throws goes to `onError`, and the connection is
   * closed without an answer. So is a TLS connection that is refused before its handshake.
   *
   * @default none: refused connections are closed without a word
   */
  readonly answer?: RefusalAnswer<C>;
}

/** Bytes that are read from one client that is being answered, at most. Beyond, its connection is closed. */
export const MAX_DISCARDED: number = 32 << 20;

/** The names of the options of {@linkcode AnswerBudget}. */
const BUDGET = ["writeDeadline", "perSecond", "burst"];

/**
 * Checks options that have hooks and an answer.
 *
 * @param name The name of the options, as in `unknown listener option`.
 * @param more The names of further options.
 * @throws {TypeError} For an unknown option or a value of the wrong type.
 * @throws {RangeError} For a number out of its range.
 */
export function checkAnswerHooks(name: string, options: AnswerHooks<never>, more: readonly string[] = []): void {
  checkHooks(name, options, ["answer", ...more]);
  const { answer } = options;
  if (answer === undefined || isMessage(answer)) return;
  if (typeof answer !== "object" || answer === null) {
    throw typeError("answer", "a string, a Uint8Array, a function or an object", answer);
  }
  checkOptions("answer", "option of answer", answer, ["send", ...BUDGET]);
  if (!isMessage(answer.send)) throw typeError("answer.send", "a string, a Uint8Array or a function", answer.send);
  checkLimits("answer.", answer);
}

/**
 * Checks a budget.
 *
 * @throws {TypeError} For an unknown option or a value of the wrong type.
 * @throws {RangeError} For a number out of its range.
 */
export function checkBudget(budget: AnswerBudget): void {
  checkOptions("options", "option", budget, BUDGET);
  checkLimits("", budget);
}

function checkLimits(path: string, { writeDeadline = 0, perSecond = 0, burst = 0 }: AnswerBudget): void {
  checkTimeout(`${path}writeDeadline`, writeDeadline);
  if (writeDeadline === Infinity) throw new RangeError(`${path}writeDeadline must be finite, got Infinity`);
  checkCount(`${path}perSecond`, perSecond);
  checkCount(`${path}burst`, burst);
}

function isMessage<C>(value: unknown): value is AnswerMessage<C> {
  return typeof value === "function" || isData(value);
}

function isData(value: unknown): value is string | Uint8Array {
  return typeof value === "string" || value instanceof Uint8Array;
}

/** The answers of one listener or server: whom to answer, and with what. */
export class RefusalAnswers<C> {
  /** Milliseconds until an answered connection is closed. */
  readonly writeDeadline: number;
  readonly #send: Exclude<AnswerMessage<C>, string>;
  readonly #budget: TokenBucket;
  readonly #onError: ErrorHook | undefined;

  /** The answers that checked options ask for. */
  static of<C>({ answer, onError }: AnswerHooks<C>): RefusalAnswers<C> | undefined {
    if (answer === undefined) return undefined;
    return new RefusalAnswers(isMessage<C>(answer) ? { send: answer } : answer, onError);
  }

  private constructor(
    { send, writeDeadline = 1_000, perSecond = 10, burst = 100 }: AnswerOptions<C>,
    onError: ErrorHook | undefined,
  ) {
    this.writeDeadline = writeDeadline;
    this.#send = typeof send === "function" ? send : bytesOf(send);
    this.#budget = new TokenBucket(perSecond, burst);
    this.#onError = onError;
  }

  /**
   * What to answer a refused connection. `undefined` if it is to be closed without an answer.
   *
   * @param present Prepares the connection to be answered. Not called beyond the budget, where a flood is.
   */
  take<T>(refusal: Refusal, conn: T, present: (conn: T) => C): Uint8Array | undefined {
    if (!this.#budget.take()) return undefined;
    const presented = present(conn);
    const bytes = typeof this.#send === "function" ? this.#ask(this.#send, refusal, presented) : this.#send;
    if (bytes?.length) return bytes;
    this.#budget.giveBack();
    return undefined;
  }

  /** Reports what has kept a client from being answered. */
  fail(error: unknown): void {
    hookFailed(this, this.#onError, error);
  }

  #ask(send: (refusal: Refusal, conn: C) => unknown, refusal: Refusal, conn: C): Uint8Array | undefined {
    try {
      const data = send(refusal, conn);
      if (data === undefined) return undefined;
      if (isData(data)) return bytesOf(data);
      if (isThenable(data)) data.then(undefined, () => {});
      throw typeError("what answer returns", "a string, a Uint8Array or undefined", data);
    } catch (error) {
      this.fail(error);
      return undefined;
    }
  }
}

const encoder = new TextEncoder();

function bytesOf(data: string | Uint8Array): Uint8Array {
  return typeof data === "string" ? encoder.encode(data) : data;
}
