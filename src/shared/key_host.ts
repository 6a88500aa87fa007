/**
 * What the keys of a shared limit have in common.
 *
 * @module
 */

import type { SharedKey } from "./shared_key.ts";
import type { SharedStore, StoreEntry } from "./store.ts";
import type { Ticket } from "./ticket.ts";

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
  needs(key: SharedKey): void;
  /** Calls the key's `tick()` until it has enough. */
  tickLater(key: SharedKey): void;
  /** Decides on a connection without the store. */
  unanswered(key: SharedKey, max: number, ticket: Ticket): void;
}
