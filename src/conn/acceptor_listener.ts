/**
 * Listeners over an acceptor: the part that all runtimes share.
 *
 * @module
 */

import type { Acceptor } from "./acceptor.ts";
import { systemError } from "./deno_errors.ts";
import type { ConnLike, LimitedConn } from "./limited_conn.ts";
import type { ListenerLike } from "./listener_like.ts";

/** A listener in the shape of `Deno.Listener`, over an acceptor. */
export class AcceptorListener<C extends ConnLike, A> implements ListenerLike<LimitedConn<C>, A>, Disposable {
  /** Where its connections come from. */
  readonly acceptor: Acceptor<C, A>;

  constructor(acceptor: Acceptor<C, A>) {
    this.acceptor = acceptor;
  }

  get addr(): A {
    return this.acceptor.addr;
  }

  async accept(): Promise<LimitedConn<C>> {
    const { done, value } = await this.acceptor.next();
    if (done) throw systemError("BadResource", "Listener has been closed");
    return value;
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<LimitedConn<C>> {
    const iterator: AsyncIterableIterator<LimitedConn<C>> = {
      next: () => this.acceptor.next(),
      // Not a generator: its `return()` would wait for the accept under way instead of ending it.
      return: () => {
        this.close();
        return Promise.resolve({ done: true, value: undefined });
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  close(): void {
    this.acceptor.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  ref(): void {
    this.acceptor.native.ref();
  }

  unref(): void {
    this.acceptor.native.unref();
  }
}
