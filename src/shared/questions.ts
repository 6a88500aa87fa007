/**
 * Questions to a store, each with a deadline.
 *
 * @module
 */

import type { Clock } from "./clock.ts";

interface Question {
  readonly due: number;
  /** Absent once it is answered. */
  fail: ((error: unknown) => void) | undefined;
}

/** A timer that is so late, in milliseconds, shows that nothing ran meanwhile; answers may be there that nobody has read yet. */
const LATE_MS = 20;

/** Asks with one deadline for all questions, so that they are due in the order in which they were asked: one timer is enough. */
export class Questions {
  /** How many were asked. */
  asked = 0;
  /** How many had no answer in time, or an error. */
  failed = 0;
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  #queue: Question[] = [];
  #first = 0;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, deadlineMs: number) {
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
  }

  /**
   * Asks. Exactly one of the functions is called, and never before this returns, unless `call` throws. An answer after the
   * deadline is ignored. Neither function may throw, except that `answered` may throw for an answer that makes no sense: then
   * it has failed.
   */
  ask<T>(call: () => PromiseLike<T>, answered: (answer: T) => void, failed: (error: unknown) => void): void {
    this.asked++;
    const fail = (error: unknown) => {
      question.fail = undefined;
      this.failed++;
      failed(error);
    };
    const question: Question = { due: this.#clock.now() + this.#deadlineMs, fail };
    this.#queue.push(question);
    if (this.#cancel === undefined) this.#arm();
    try {
      call().then((answer) => {
        if (question.fail === undefined) return;
        question.fail = undefined;
        try {
          answered(answer);
        } catch (error) {
          fail(error);
        }
      }, (error) => question.fail?.(error));
    } catch (error) {
      fail(error);
    }
  }

  /** Forgets the deadlines, since nothing is asked any more. */
  close(): void {
    this.#cancel?.();
    this.#queue = [];
    this.#first = 0;
    this.#cancel = undefined;
  }

  #arm(late = false): void {
    while (this.#queue[this.#first]?.fail === undefined && this.#first < this.#queue.length) this.#first++;
    const first = this.#queue[this.#first];
    if (this.#first > 1_000 || first === undefined) {
      this.#queue = this.#queue.slice(this.#first);
      this.#first = 0;
    }
    if (first === undefined) return this.#cancel = undefined;
    const wait = Math.max(0, first.due - this.#clock.now());
    const due = first.due;
    this.#cancel = this.#clock.after(late ? LATE_MS : wait, () => this.#expire(due, late));
  }

  #expire(due: number, again: boolean): void {
    const now = this.#clock.now();
    if (!again && now - due > LATE_MS) return this.#arm(true);
    for (; this.#first < this.#queue.length && this.#queue[this.#first]!.due <= now; this.#first++) {
      this.#queue[this.#first]!.fail?.(new Error(`the store has not answered within ${this.#deadlineMs} ms`));
    }
    this.#arm();
  }
}
