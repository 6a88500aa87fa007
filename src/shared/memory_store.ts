/**
 * The store of a shared limit in memory, for the threads and processes of one machine.
 *
 * @module
 */

import { checkName } from "./check_request.ts";
import type { ChannelLike } from "./channel.ts";
import { type ServedStore, serveStore } from "./serve_store.ts";
import type { CountReply, CountRequest, LifeSign, RegisteredSign, SharedStore, StoreEntry } from "./store.ts";

/** The options of {@linkcode MemoryStore}, and of `ChannelStore`. */
export interface MemoryStoreOptions {
  /**
   * The name of the limit. Stores with different names do not meet, also by the same channel.
   *
   * @default {"limit"}
   */
  readonly name?: string;
}

/** What an instance has of a key, with what it was told last. */
interface Entry {
  count: number;
  seq: number;
  since: number;
  granted: number;
  others: number;
}

interface Key {
  total: number;
  readonly entries: Map<string, Entry>;
}

/** A sign of life, and how often it was renewed on the instance's behalf. */
interface Sign extends RegisteredSign {
  renewed: number;
}

/**
 * Counts in the memory of one thread for all that share a limit: its own limiters, and those of the workers and child
 * processes that it serves. They use a `ChannelStore`.
 *
 * A worker that ends gives its slots back at once. One that is busy for however long keeps them, since its connections are
 * open. So does a child process that has left its channel, until it exits.
 *
 * It forgets a client with its last connection.
 */
export class MemoryStore implements SharedStore {
  /** The name of the limit. */
  readonly name: string;
  /** Nothing is forgotten before its time. */
  readonly ttlMs: number = Infinity;
  readonly #keys = new Map<string, Key>();
  readonly #keysOf = new Map<string, Set<string>>();
  readonly #signs = new Map<string, Sign>();
  /** The instances whose end will be told. */
  readonly #watched = new Set<string>();
  readonly #served: ServedStore;

  /**
   * Creates a store, in which nothing is open.
   *
   * @throws {TypeError} For an unknown option, or a name that is not a string of 1 to 256 characters.
   */
  constructor(options: MemoryStoreOptions = {}) {
    this.name = checkName(options);
    this.#served = {
      store: this,
      name: this.name,
      watch: (id) => this.#watched.add(id),
      drop: (id) => this.#drop(id),
      keysOf: (id) => this.#keysOf.get(id)?.size ?? 0,
    };
  }

  /**
   * Lets a worker or a child process count here, until it ends.
   *
   * @param channel The worker, the child process, or a `MessagePort` whose other end it has.
   * @returns Ends that, as if the worker had ended.
   * @throws {TypeError} If `channel` is none of these.
   */
  serve(channel: ChannelLike): () => void {
    return serveStore(this.#served, channel);
  }

  /** The number of clients and other keys that are counted here. */
  get keys(): number {
    return this.#keys.size;
  }

  /** The number of limiters that count here. */
  get instances(): number {
    return this.#signs.size;
  }

  /** See {@linkcode SharedStore.count}. */
  // deno-lint-ignore require-await -- what it throws is to reject
  async count({ key, id, seq, since, have, want, max, split }: CountRequest): Promise<CountReply> {
    const found = this.#keys.get(key);
    const mine = found?.entries.get(id);
    if (mine !== undefined && (mine.seq > seq || mine.since > since)) throw new Error("the request is late");
    if (mine?.seq !== seq) {
      const others = (found?.total ?? 0) - (mine?.count ?? 0);
      const room = max - others - have;
      let granted = Math.max(0, Math.min(want, room));
      if (want > 0 && granted === want && split > 0 && room < Infinity) {
        granted += Math.max(0, Math.floor((room - want) / split));
      }
      this.#set(key, id, { count: have + granted, seq, since, granted, others });
      return this.#reply(key, id, granted, others, want);
    }
    return this.#reply(key, id, mine.granted, mine.others, want);
  }

  /** See {@linkcode SharedStore.reap}. */
  // deno-lint-ignore require-await -- as above
  async reap(key: string, entries: readonly StoreEntry[]): Promise<void> {
    for (const { id, seq } of entries) {
      if (!this.#watched.has(id) && this.#keys.get(key)?.entries.get(id)?.seq === seq) this.#delete(key, id);
    }
  }

  /** See {@linkcode SharedStore.total}. */
  total(key: string): Promise<number> {
    return Promise.resolve(this.#keys.get(key)?.total ?? 0);
  }

  /** See {@linkcode SharedStore.beat}. */
  // deno-lint-ignore require-await -- as above
  async beat(sign: LifeSign, gone: readonly LifeSign[]): Promise<readonly RegisteredSign[]> {
    for (const { id, beat } of gone) {
      const seen = this.#signs.get(id);
      // Whoever is served is there. Its sign has been renewed since, unless it is missing.
      if (seen !== undefined && seen.beat + seen.renewed === beat && !this.#watched.has(id)) this.#drop(id);
    }
    const { id, beat, floor, open } = sign;
    const before = this.#signs.get(id);
    if (before === undefined || before.beat <= beat) {
      this.#signs.set(id, { id, beat, floor, open, birth: before?.birth ?? beat, renewed: before?.renewed ?? 0 });
    }
    return [...this.#signs.values()].map((sign) => sign.id === id ? bare(sign) : this.#renew(sign));
  }

  /** See {@linkcode SharedStore.leave}. */
  // deno-lint-ignore require-await -- as above
  async leave(id: string): Promise<void> {
    this.#signs.delete(id);
  }

  /** Forgets an instance that has ended, with all that it had. */
  #drop(id: string): void {
    this.#watched.delete(id);
    this.#signs.delete(id);
    for (const key of this.#keysOf.get(id) ?? []) this.#delete(key, id);
  }

  /** The sign that others see of an instance: one that is served need not be able to send any. */
  #renew(sign: Sign): RegisteredSign {
    if (this.#watched.has(sign.id)) sign.renewed++;
    return { ...bare(sign), beat: sign.beat + sign.renewed };
  }

  #reply(key: string, id: string, granted: number, others: number, want: number): CountReply {
    if (granted >= want) return { granted, others };
    const entries: StoreEntry[] = [];
    for (const [other, { count, seq }] of this.#keys.get(key)?.entries ?? []) {
      if (other !== id) entries.push({ id: other, count, seq });
    }
    return { granted, others, entries };
  }

  #set(key: string, id: string, entry: Entry): void {
    if (entry.count === 0) return this.#delete(key, id);
    let counted = this.#keys.get(key);
    if (counted === undefined) this.#keys.set(key, counted = { total: 0, entries: new Map() });
    counted.total += entry.count - (counted.entries.get(id)?.count ?? 0);
    counted.entries.set(id, entry);
    const keys = this.#keysOf.get(id);
    if (keys === undefined) this.#keysOf.set(id, new Set([key]));
    else keys.add(key);
  }

  #delete(key: string, id: string): void {
    const counted = this.#keys.get(key);
    const entry = counted?.entries.get(id);
    if (counted === undefined || entry === undefined) return;
    counted.total -= entry.count;
    counted.entries.delete(id);
    if (counted.entries.size === 0) this.#keys.delete(key);
    const keys = this.#keysOf.get(id)!;
    if (keys.delete(key) && keys.size === 0) this.#keysOf.delete(id);
  }
}

function bare({ id, beat, floor, open, birth }: Sign): RegisteredSign {
  return { id, beat, floor, open, birth };
}
