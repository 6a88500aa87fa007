/**
 * What the keys of a shared limit have in common.
 *
 * @module
 */

import type { ClientKey } from "../core/client_key.ts";
import type { Leases } from "./allowance.ts";
import type { SharedLevel } from "./level_needs.ts";
import type { NegativeCache } from "./negative_cache.ts";
import type { SharedStore, StoreEntry } from "./store.ts";
import type { CountingKey, Ticket } from "./ticket.ts";

/** A key, as its instance and its level see it. */
export interface HostedKey extends CountingKey {
  readonly key: ClientKey;
  /** Does what there is to do, if anything. */
  pump(): void;
  /** Some time has passed. Returns whether there is more to come. */
  tick(): boolean;
  /** The store is asked no more: whoever waits is answered. */
  giveUp(): void;
  /** Counts a connection, whether there is room or not. */
  force(max: number): void;
}

/** The level that a key belongs to, as its keys see it. */
export interface KeyLevel {
  readonly level: SharedLevel;
  readonly leases: Leases;
  /** Keys for which there was no room a moment ago. */
  readonly negative: NegativeCache;
  /** A key has nothing more to say. */
  delete(key: HostedKey): void;
  /** The store had no room. */
  refused(key: HostedKey): void;
}

/** The instance that a key belongs to, as its keys see it. */
export interface KeyHost {
  readonly id: string;
  readonly store: SharedStore;
  /** Changes when the store may have lost what this instance has. */
  readonly epoch: number;
  /** What is left is divided by it for a lease. */
  readonly split: number;
  /** Whether the store can be asked now. */
  readonly asking: boolean;
  /** Whether what it has granted may be relied on. */
  readonly trusted: boolean;
  /** Whether nothing is to be left in the store. */
  readonly closing: boolean;
  /** Returns a number greater than all before. */
  nextSeq(): number;
  /** Asks the store. One of the functions is called later, and `answered` may throw for an answer that makes no sense. */
  ask<T>(call: () => PromiseLike<T>, answered: (answer: T) => void, failed: () => void): void;
  /** Whether an entry belongs to nobody. */
  isLeft(entry: StoreEntry): boolean;
  /** Pumps the key when the store can be asked again. */
  needs(key: HostedKey): void;
  /** Calls the key's `tick()` until it has enough. */
  tickLater(key: HostedKey): void;
  /** Decides on a connection without the store. */
  unanswered(key: HostedKey, max: number, ticket: Ticket): void;
}
