/**
 * `whenFull: "evict"`: connections that are closed in favour of others.
 *
 * @module
 */

import { INTERNALS, internalsOf, type LimiterInternals } from "../core/internals.ts";
import type { Peer } from "../core/peer.ts";
import type { Admission, Slot } from "../core/slot.ts";
import { TokenBucket } from "../core/token_bucket.ts";
import type { Eviction, EvictionOptions } from "./eviction_options.ts";
import { Evictions, type Owner } from "./evictions.ts";
import { callHook, type ErrorHook, hookFailed } from "./hooks.ts";
import type { Admitter } from "./port.ts";

/** What an adapter does to a connection that is closed in favour of another. */
export interface EvictionPort<C> {
  /** Prepares it for `onEvicted`. If absent, it is itself the hook's argument. */
  present?(conn: C): unknown;
  /** Closes it, with a reset where a close would have to wait for its client. */
  close(conn: C): void;
}

/** The checked options. */
type Options = EvictionOptions<never, string> & { readonly onError?: ErrorHook };

/**
 * The limiter of one listener or server, as its gate asks it: where the limiter would refuse a connection for `"total"`, it
 * makes room first, if another client has much more.
 */
export class Evictor<C> implements Admitter, Owner {
  readonly budget: TokenBucket;
  readonly #evictions: Evictions;
  readonly #limiter: Admitter;
  readonly #port: EvictionPort<C>;
  readonly #options: Options;

  static {
    Object.defineProperty(this.prototype, INTERNALS, {
      get(this: Evictor<unknown>): LimiterInternals | undefined {
        return internalsOf(this.#limiter);
      },
    });
  }

  /**
   * The evictor that checked options ask for, if they do.
   *
   * @throws {TypeError} If the limiter is not a `Limiter`.
   */
  static of<C>(options: Options, limiter: Admitter, port: EvictionPort<C>): Evictor<C> | undefined {
    return options.whenFull === "evict" ? new Evictor(options, limiter, port) : undefined;
  }

  private constructor(options: Options, limiter: Admitter, port: EvictionPort<C>) {
    const { evictionsPerSecond = 100 } = options;
    this.budget = new TokenBucket(evictionsPerSecond, evictionsPerSecond);
    this.#evictions = Evictions.of(limiter);
    this.#limiter = limiter;
    this.#port = port;
    this.#options = options;
  }

  tryAccept(peer: Peer): Admission {
    return this.#evictions.admit(peer, this);
  }

  /** Notes the connection that has a slot. From now on it may be closed. */
  enter(slot: Slot, conn: C): void {
    this.#evictions.enter(slot, conn, this);
  }

  evict(conn: C, slot: Slot, eviction: Eviction): void {
    const { onEvicted, onError } = this.#options;
    try {
      if (onEvicted !== undefined) {
        callHook(onEvicted, onError, eviction, (this.#port.present?.(conn) ?? conn) as never);
      }
      if (!slot.released) this.#port.close(conn);
    } catch (error) {
      hookFailed(this, onError, error);
    }
  }
}
