/**
 * A limiter that answers when the test says so.
 *
 * @module
 */

import { type Admission, type Admitter, Limiter, type LimitsOptions, type Peer } from "@connlimit/connlimit";
import { eventually } from "./net.ts";

/** A question that is open. */
export interface Question {
  readonly peer: Peer;
  /** Answers as the limiter underneath does. */
  decide(): Admission;
  /** Answers by something else, which need not be an answer at all. */
  answer(answer: unknown): void;
  fail(error: unknown): void;
}

/** A limiter as users write them: it asks one underneath for an answer, and holds the answer back. */
export class SlowAdmitter implements Admitter {
  readonly local: Limiter;
  /** The questions so far, in their order. */
  readonly questions: Question[] = [];

  constructor(limits: LimitsOptions = {}) {
    this.local = new Limiter(limits);
  }

  /** The limiter underneath. */
  get limiter(): Limiter {
    return this.local;
  }

  tryAccept(peer: Peer): PromiseLike<Admission> {
    const { promise, resolve, reject } = withResolvers<Admission>();
    const known = snapshot(peer);
    const decide = () => {
      const admission = this.limiter.tryAccept(known);
      resolve(admission);
      return admission;
    };
    this.questions.push({ peer, decide, answer: (answer) => resolve(answer as Admission), fail: reject });
    return promise;
  }

  /** Waits until so many questions have been asked. */
  async asked(count: number): Promise<void> {
    await eventually(() => this.questions.length >= count, `${count} questions`);
  }

  /** The number of pending connections. */
  get pending(): number {
    return this.limiter.stats().pending;
  }

  /** Waits until so many connections are pending. */
  async waiting(count: number): Promise<void> {
    await eventually(() => this.pending === count, `${count} connections to be pending`);
  }
}

/** A peer as it is now: later, a runtime may have forgotten the address of what has ended. */
function snapshot(peer: Peer): Peer {
  if (typeof peer !== "object" || "key" in peer) return peer;
  if ("remoteAddr" in peer) {
    const { hostname, transport } = peer.remoteAddr;
    return { remoteAddr: { ...hostname !== undefined && { hostname }, ...transport !== undefined && { transport } } };
  }
  return { remoteAddress: (peer as { readonly remoteAddress?: string }).remoteAddress };
}

/** A promise, and the functions that settle it. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T | PromiseLike<T>): void;
  reject(reason: unknown): void;
}

/** What `Promise.withResolvers()` does, which Node 20 lacks. */
export function withResolvers<T>(): Deferred<T> {
  let resolve!: (value: T | PromiseLike<T>) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((...functions) => [resolve, reject] = functions);
  return { promise, resolve, reject };
}
