/**
 * The keys of one level of a shared limit.
 *
 * @module
 */

import type { ClientKey } from "../core/client_key.ts";
import type { Leases } from "./allowance.ts";
import type { HostedKey, KeyHost, KeyLevel } from "./key_host.ts";
import type { SharedLevel } from "./level_needs.ts";
import { NegativeCache } from "./negative_cache.ts";
import { SharedKey } from "./shared_key.ts";
import { storeKey } from "./store_key.ts";

/** The key of the level that has only one. */
const ONLY: ClientKey = "";

/** How the levels differ. */
const KINDS = {
  "client": { leases: false, refusedMs: 50 },
  // Where many wait, a place that is free for long is a waste; and it is asked about once for all of them.
  "aggregate": { leases: "while-open", refusedMs: 15 },
  "network": { leases: "while-open", refusedMs: 15 },
  "total": { leases: "always", refusedMs: 15 },
} as const satisfies Record<SharedLevel, unknown>;

/** Has a key for each client, or aggregate, with something to say. */
export class KeyTable implements KeyLevel {
  readonly level: SharedLevel;
  readonly leases: Leases;
  /** Keys for which there was no room a moment ago. */
  readonly negative: NegativeCache = new NegativeCache();
  readonly #refusedMs: number;
  readonly #host: KeyHost;
  readonly #now: () => number;
  readonly #keys = new Map<ClientKey, SharedKey>();

  constructor(level: SharedLevel, host: KeyHost, now: () => number) {
    this.level = level;
    this.leases = KINDS[level].leases;
    this.#refusedMs = KINDS[level].refusedMs;
    this.#host = host;
    this.#now = now;
  }

  /** How many keys there are. */
  get size(): number {
    return this.#keys.size;
  }

  /** The keys. Those that are added meanwhile are among them. */
  keys(): IterableIterator<SharedKey> {
    return this.#keys.values();
  }

  /** Whether there was no room a moment ago, and nothing has been closed here since. */
  isFull(key: ClientKey = ONLY): boolean {
    return this.negative.has(key, this.#now) && this.#keys.get(key)?.hasRoom !== true;
  }

  /** The key of a client or of an aggregate, if there is one. */
  find(key: ClientKey = ONLY): SharedKey | undefined {
    return this.#keys.get(key);
  }

  /** The key of a client or of an aggregate. */
  get(key: ClientKey = ONLY): SharedKey {
    let shared = this.#keys.get(key);
    if (shared === undefined) {
      shared = new SharedKey(key, storeKey(this.level, key), this, this.#host);
      this.#keys.set(key, shared);
    }
    return shared;
  }

  /** A key has nothing more to say. There may be another in its place by now. */
  delete(shared: HostedKey): void {
    if (this.#keys.get(shared.key) === shared) this.#keys.delete(shared.key);
  }

  /** The store had no room. */
  refused({ key }: HostedKey): void {
    this.negative.add(key, this.#now() + this.#refusedMs);
  }
}
