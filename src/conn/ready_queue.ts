/**
 * A queue of admitted connections, for one consumer.
 *
 * @module
 */

import { systemError } from "./deno_errors.ts";

type Next<C> = IteratorResult<C, undefined>;

/** Yields connections in the order in which they were admitted. */
export class ReadyQueue<C> {
  /** A set, because a connection in the middle may close. */
  readonly #conns = new Set<C>();
  readonly #inOrder: Iterator<C, undefined> = this.#conns.values();
  /** The call that waits. */
  #waiting: PromiseWithResolvers<Next<C>> | undefined;
  #ended = false;

  /** Whether the consumer waits for a connection. */
  get wanted(): boolean {
    return this.#waiting !== undefined;
  }

  /** Waits for the next connection; done once the queue has ended and is empty. Rejects while another call waits. */
  next(): Promise<Next<C>> {
    if (this.#waiting !== undefined) return Promise.reject(systemError("Busy", "Another accept task is ongoing"));
    // An iterator that has been asked at the end of a set stays there.
    if (this.#conns.size > 0) {
      const value = this.#inOrder.next().value!;
      this.#conns.delete(value);
      return Promise.resolve({ done: false, value });
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return (this.#waiting = Promise.withResolvers()).promise;
  }

  push(conn: C): void {
    const waiting = this.#take();
    if (waiting === undefined) this.#conns.add(conn);
    else waiting.resolve({ done: false, value: conn });
  }

  /** Forgets a connection that has closed. */
  delete(conn: C): void {
    this.#conns.delete(conn);
  }

  /** Empties the queue, and returns its connections. */
  clear(): C[] {
    const conns = [...this.#conns];
    this.#conns.clear();
    return conns;
  }

  /** Rejects the call that waits. Returns whether there was one. */
  fail(error: unknown): boolean {
    const { wanted } = this;
    this.#take()?.reject(error);
    return wanted;
  }

  /** Ends the queue: no connection will be pushed any more. */
  end(): void {
    this.#ended = true;
    this.#take()?.resolve({ done: true, value: undefined });
  }

  #take(): PromiseWithResolvers<Next<C>> | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }
}
