/**
 * The store of a shared limit: what several instances of a limiter count in together.
 *
 * @module
 */

/**
 * Keeps, for each key, one absolute count for each instance; and, for each instance, its last sign of life. It decides nothing
 * but what {@linkcode SharedStore.count} says, knows no time, and asks nobody.
 *
 * Each call is one atomic step. It may be executed late, twice, or not at all, and its reply may be lost: whoever calls copes
 * with it, by {@linkcode CountRequest.seq} and by absolute numbers. A call that fails rejects. None may wait for a connection:
 * a call that cannot be sent now must fail.
 *
 * A store belongs to one limit, by its name: two limits never meet in a key.
 */
export interface SharedStore {
  /**
   * Milliseconds after which a key or an instance that nobody writes is forgotten. `Infinity`: never.
   */
  readonly ttlMs: number;
  /**
   * Writes how many connections of a key an instance has, and grants it more as far as there is room.
   *
   * If an entry of this instance is there with a greater `seq` or `since`, the call is late: it writes nothing and rejects. If there
   * is one with a smaller `since`, it is removed first, or counts as another's until it is reaped. With the same
   * `seq` it was executed before: it writes nothing and replies as it did then. Otherwise, with `others` as the sum of the
   * counts of all other instances:
   *
   * - `room = max - others - have`;
   * - `granted = min(want, room)`, at least 0; where that is all of `want`, `want > 0` and `split > 0`, also
   *   `floor((room - want) / split)`, at least 0;
   * - the entry becomes `{ count: have + granted, seq }`. An entry whose count is 0 is removed, and with the last entry the key.
   *
   * `have` is written even if it is above `max`: it is what is open.
   */
  count(request: CountRequest): PromiseLike<CountReply>;
  /** Removes those entries of a key that still have the same `seq`. */
  reap(key: string, entries: readonly StoreEntry[]): PromiseLike<void>;
  /** The sum of a key's counts. */
  total(key: string): PromiseLike<number>;
  /**
   * Writes an instance's sign of life, and returns those of all instances, this one's with them.
   *
   * A sign with a smaller `beat` than the one that is there is late and does not replace it. If none of this instance is there,
   * its `birth` becomes this `beat`; otherwise it stays. First, those of `gone` are removed whose `beat` is still the same.
   */
  beat(sign: LifeSign, gone: readonly LifeSign[]): PromiseLike<readonly RegisteredSign[]>;
  /** Removes an instance's sign of life. Its entries have been removed by counts of 0. */
  leave(id: string): PromiseLike<void>;
}

/** How many connections of a key an instance has, and how many more it wants. */
export interface CountRequest {
  /** The key. Printable ASCII without braces. */
  readonly key: string;
  /** The instance. Random for each start of a limiter. */
  readonly id: string;
  /** A number that grows with each request of the instance. */
  readonly seq: number;
  /**
   * The `seq` of the request by which the entry began: the first one since the instance last had nothing. The request by which it
   * ends, which has and wants nothing, has it too. So a store may keep entries by it, and remove one without looking.
   */
  readonly since: number;
  /** Whether something may be left of the instance's earlier requests. */
  readonly unsure: boolean;
  /** How many it has. They count whether there is room or not. */
  readonly have: number;
  /** How many more it wants. */
  readonly want: number;
  /** The limit: the most that all instances may have together. */
  readonly max: number;
  /** Above 0: what is left beyond `want` is divided by it, and that share is granted too. */
  readonly split: number;
}

/** What a store replies. */
export interface CountReply {
  /** How many more the instance may have. */
  readonly granted: number;
  /** How many all other instances have together. */
  readonly others: number;
  /** Where `granted` is less than `want`: the entries of the other instances. */
  readonly entries?: readonly StoreEntry[];
}

/** The count of one instance at one key. */
export interface StoreEntry {
  /** The instance. */
  readonly id: string;
  /** How many connections it has, with those that it was granted and has not used yet. */
  readonly count: number;
  /** The request that wrote it. */
  readonly seq: number;
  /** Where the store keeps entries by it. */
  readonly since?: number;
}

/** An instance's sign of life. */
export interface LifeSign {
  /** The instance. */
  readonly id: string;
  /** A number that grows with each sign of the instance. */
  readonly beat: number;
  /** Entries of the instance with a smaller `seq` are not its own any more: commands that were late have left them. */
  readonly floor: number;
  /** How many connections are open there. */
  readonly open: number;
}

/** A sign of life as the store has it. */
export interface RegisteredSign extends LifeSign {
  /** The `beat` with which the store first had the instance. If it changes, the store has lost the instance meanwhile. */
  readonly birth: number;
}
