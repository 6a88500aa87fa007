/**
 * The store of a shared limit that another thread or process holds.
 *
 * @module
 */

import { Channel, type ChannelLike } from "./channel.ts";
import { checkName } from "./check_request.ts";
import type { MemoryStoreOptions } from "./memory_store.ts";
import { parentChannel } from "./parent_channel.ts";
import type { CountReply, CountRequest, LifeSign, RegisteredSign, SharedStore, StoreEntry } from "./store.ts";

/** The options of {@linkcode ChannelStore}. */
export interface ChannelStoreOptions extends MemoryStoreOptions {
  /**
   * The channel to the thread or the process that holds the store.
   *
   * @default the one to what has started this worker or child process
   */
  readonly channel?: ChannelLike;
}

/** Requests that wait for a reply, at most. Where nobody replies, the oldest is given up for a new one. */
const MOST_CALLS = 50_000;

interface Call {
  resolve(reply: unknown): void;
  reject(error: Error): void;
}

/** Counts in the `MemoryStore` that another thread or process holds and serves. */
export class ChannelStore implements SharedStore {
  /** The name of the limit. */
  readonly name: string;
  /** The store forgets nothing before its time. */
  readonly ttlMs: number = Infinity;
  readonly #channel: Channel;
  readonly #calls = new Map<string, Call>();
  /** Tells its calls from those of other stores on the same channel. */
  readonly #by = Math.random().toString(36).slice(2);
  #last = 0;

  /**
   * Opens a store. Its listener keeps a worker or a child process running until it is closed.
   *
   * @throws {TypeError} For an unknown option, a name that is not a string of 1 to 256 characters, or where there is no channel.
   */
  constructor(options: ChannelStoreOptions = {}) {
    const { channel, ...others } = options;
    this.name = checkName(others);
    this.#channel = new Channel(channel ?? parentChannel(), {
      heard: ([limit, call, ok, reply]) => {
        if (limit === this.name && typeof call === "string") this.#settle(call, ok === true, reply);
      },
      ended: () => this.close(),
    });
  }

  /** See {@linkcode SharedStore.count}. */
  count(request: CountRequest): Promise<CountReply> {
    return this.#ask("count", request) as Promise<CountReply>;
  }

  /** See {@linkcode SharedStore.reap}. */
  reap(key: string, entries: readonly StoreEntry[]): Promise<void> {
    return this.#ask("reap", key, entries) as Promise<void>;
  }

  /** See {@linkcode SharedStore.total}. */
  total(key: string): Promise<number> {
    return this.#ask("total", key) as Promise<number>;
  }

  /** See {@linkcode SharedStore.beat}. */
  beat(sign: LifeSign, gone: readonly LifeSign[]): Promise<readonly RegisteredSign[]> {
    return this.#ask("beat", sign, gone) as Promise<readonly RegisteredSign[]>;
  }

  /** See {@linkcode SharedStore.leave}. */
  leave(id: string): Promise<void> {
    return this.#ask("leave", id) as Promise<void>;
  }

  /** Listens no more. All calls fail from then on. Close the limiter before. */
  close(): void {
    this.#channel.close();
    const gone = new Error(GONE);
    for (const { reject } of this.#calls.values()) reject(gone);
    this.#calls.clear();
  }

  #ask(method: string, ...args: unknown[]): Promise<unknown> {
    if (!this.#channel.open) return Promise.reject(new Error(GONE));
    if (this.#calls.size >= MOST_CALLS) {
      const [oldest] = this.#calls.keys();
      this.#settle(oldest!, false, "the store does not answer");
    }
    const call = `${this.#by}-${++this.#last}`;
    return new Promise((resolve, reject) => {
      this.#calls.set(call, { resolve, reject });
      this.#channel.post([this.name, call, method, ...args]);
    });
  }

  #settle(call: string, ok: boolean, reply: unknown): void {
    const waiting = this.#calls.get(call);
    if (!this.#calls.delete(call)) return;
    if (ok) waiting!.resolve(reply);
    else waiting!.reject(new Error(String(reply)));
  }
}

const GONE = "the store is gone";
