/**
 * The store of a shared limit in one of several threads that have no other channel to each other.
 *
 * @module
 */

import { setInterval, setTimeout } from "node:timers";
import { BroadcastChannel } from "node:worker_threads";
import { Channel } from "./channel.ts";
import { ChannelStore } from "./channel_store.ts";
import { checkName } from "./check_request.ts";
import { MemoryStore, type MemoryStoreOptions } from "./memory_store.ts";
import type { CountReply, CountRequest, LifeSign, RegisteredSign, SharedStore, StoreEntry } from "./store.ts";

/** Milliseconds that whoever has the store may take to say so, before another has it. */
const ELECTION_MS = 150;
/** Milliseconds between its signs of life. */
const SIGN_MS = 1_000;
/** Milliseconds without one, after which another has the store. */
const LOST_MS = 10_000;

/**
 * Counts in the memory of one of the threads of this process that have opened a store of the same name, such as the workers of
 * `deno serve --parallel`. They find each other by a `BroadcastChannel` and agree on the one that has it.
 *
 * Calls fail until they have, a sixth of a second after the start, and while that thread is busy. If it ends without closing
 * the store, another has it within about eleven seconds. Where a thread has workers of its own, `MemoryStore` and `ChannelStore` know their ends
 * at once.
 */
export class SiblingStore implements SharedStore {
  /** The name of the limit. */
  readonly name: string;
  /** The store forgets nothing before its time. */
  readonly ttlMs: number = Infinity;
  readonly #id = `${Math.random()}`.slice(2).padEnd(20, "0");
  readonly #lobby: Channel;
  readonly #broadcast: BroadcastChannel;
  readonly #timer: ReturnType<typeof setInterval>;
  /** The store, if this thread has it, and what ends that others use it. */
  #held: MemoryStore | undefined;
  readonly #guests = new Map<string, () => void>();
  /** The thread that has it, else, and the way to it. */
  #leader = "";
  #way: { readonly store: ChannelStore; readonly broadcast: BroadcastChannel } | undefined;
  #heardAt = 0;
  /** Whether a thread before this one wants to have the store. */
  #behind = false;
  #closed = false;

  /**
   * Opens a store, and looks for the others.
   *
   * @throws {TypeError} For an unknown option, or a name that is not a string of 1 to 256 characters.
   */
  constructor(options: MemoryStoreOptions = {}) {
    this.name = checkName(options);
    this.#broadcast = open(`connlimit ${this.name}`);
    this.#lobby = new Channel(this.#broadcast, {
      heard: ([word, id, to]) => this.#hear(word, String(id), to),
      ended() {},
    });
    this.#timer = setInterval(() => this.#tick(), SIGN_MS);
    this.#timer.unref();
    this.#elect();
  }

  /** Whether this thread has the store. */
  get leads(): boolean {
    return this.#held !== undefined;
  }

  /** See {@linkcode SharedStore.count}. */
  count(request: CountRequest): PromiseLike<CountReply> {
    return this.#store((store) => store.count(request));
  }

  /** See {@linkcode SharedStore.reap}. */
  reap(key: string, entries: readonly StoreEntry[]): PromiseLike<void> {
    return this.#store((store) => store.reap(key, entries));
  }

  /** See {@linkcode SharedStore.total}. */
  total(key: string): PromiseLike<number> {
    return this.#store((store) => store.total(key));
  }

  /** See {@linkcode SharedStore.beat}. */
  beat(sign: LifeSign, gone: readonly LifeSign[]): PromiseLike<readonly RegisteredSign[]> {
    return this.#store((store) => store.beat(sign, gone));
  }

  /** See {@linkcode SharedStore.leave}. */
  leave(id: string): PromiseLike<void> {
    return this.#store((store) => store.leave(id));
  }

  /** Leaves the others. All calls fail from then on. If this thread has the store, another will. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    if (this.#held !== undefined) this.#lobby.post(["leaves", this.#id]);
    this.#stepDown();
    this.#forgetLeader();
    this.#lobby.close();
    this.#broadcast.close();
  }

  #store<T>(ask: (store: SharedStore) => PromiseLike<T>): PromiseLike<T> {
    const store = this.#held ?? this.#way?.store;
    return store === undefined ? Promise.reject(new Error("no thread has the store yet")) : ask(store);
  }

  /** Asks who has the store. Where nobody answers, the first of those who ask has it. */
  #elect(): void {
    this.#behind = false;
    this.#lobby.post(["who", this.#id]);
    setTimeout(() => {
      if (this.#closed || this.#leader !== "" || this.#held !== undefined) return;
      if (this.#behind) return this.#elect();
      this.#held = new MemoryStore({ name: this.name });
      this.#lobby.post(["leads", this.#id]);
    }, ELECTION_MS).unref();
  }

  #tick(): void {
    if (this.#held !== undefined) return this.#lobby.post(["leads", this.#id]);
    if (this.#leader === "" || performance.now() - this.#heardAt < LOST_MS) return;
    this.#forgetLeader();
    this.#elect();
  }

  #hear(word: unknown, id: string, to: unknown): void {
    if (word === "who") {
      this.#behind ||= id < this.#id;
      if (this.#held !== undefined) this.#lobby.post(["leads", this.#id]);
      // So that one that comes behind others, which are not sure yet, waits for them.
      else if (this.#leader === "" && this.#id < id) this.#lobby.post(["here", this.#id]);
    } else if (word === "here") {
      this.#behind ||= id < this.#id;
    } else if (word === "leads") {
      this.#follow(id);
    } else if (word === "leaves" && id === this.#leader) {
      this.#forgetLeader();
      this.#elect();
    } else if (word === "join" && to === this.#id && this.#held !== undefined) {
      this.#welcome(id, this.#held);
    }
  }

  /** Two may have the store where one was busy as the other asked. The first one keeps it. */
  #follow(id: string): void {
    if (this.#held !== undefined) {
      if (this.#id < id) return this.#lobby.post(["leads", this.#id]);
      this.#stepDown();
    }
    if (this.#leader !== "" && this.#leader < id) return;
    this.#heardAt = performance.now();
    if (this.#leader === id) return;
    this.#forgetLeader();
    this.#leader = id;
    const broadcast = open(wayOf(this.name, id, this.#id));
    this.#way = { broadcast, store: new ChannelStore({ name: this.name, channel: broadcast }) };
    this.#lobby.post(["join", this.#id, id]);
  }

  #welcome(id: string, store: MemoryStore): void {
    if (this.#guests.has(id)) return;
    const broadcast = open(wayOf(this.name, this.#id, id));
    const end = store.serve(broadcast);
    this.#guests.set(id, () => {
      end();
      broadcast.close();
    });
  }

  #stepDown(): void {
    this.#held = undefined;
    for (const end of this.#guests.values()) end();
    this.#guests.clear();
  }

  #forgetLeader(): void {
    this.#leader = "";
    this.#way?.store.close();
    this.#way?.broadcast.close();
    this.#way = undefined;
  }
}

/** The name of the channel between the thread that has a store and another. */
function wayOf(name: string, leader: string, other: string): string {
  return `connlimit ${name} ${leader} ${other}`;
}

/** Opens a channel that keeps no process running: `deno serve` would not end at a signal. The one of the web cannot on Deno. */
function open(name: string): BroadcastChannel {
  const channel = new BroadcastChannel(name);
  channel.unref();
  return channel;
}
