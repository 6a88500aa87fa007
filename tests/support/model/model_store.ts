/**
 * The store of a model, which does what `SharedStore` says, as simply as can be.
 *
 * @module
 */

import type { CountReply, CountRequest, LifeSign, RegisteredSign, StoreEntry } from "../../../src/shared/store.ts";

interface Entry extends StoreEntry {
  readonly since: number;
}

/** Executes calls one at a time, and can be looked at. */
export class ModelStore {
  readonly keys: Map<string, Entry[]> = new Map<string, Entry[]>();
  readonly signs: Map<string, RegisteredSign> = new Map<string, RegisteredSign>();
  /** The last floor of each instance. */
  readonly #floors = new Map<string, number>();
  /** Is told of each entry that is reaped. */
  reaped: (key: string, entry: StoreEntry) => void = () => {};

  /** How many an instance has of a key. */
  countOf(key: string, id?: string): number {
    const entries = this.keys.get(key)?.filter((entry) => id === undefined || entry.id === id) ?? [];
    return entries.reduce((sum, { count }) => sum + count, 0);
  }

  /** How many an instance has of a key without those that everybody knows to be left by late messages. */
  meant(key: string, id: string): number {
    const floor = this.#floors.get(id) ?? 0;
    const entries = this.keys.get(key)?.filter((entry) => entry.id === id && entry.seq >= floor) ?? [];
    return entries.reduce((sum, { count }) => sum + count, 0);
  }

  count({ key, id, seq, since, have, want, max, split }: CountRequest): CountReply {
    const entries = this.keys.get(key) ?? [];
    const isOwn = (entry: Entry) => entry.id === id && entry.since === since;
    if (have + want + split === 0) {
      // As over Redis: nobody looks at what is there.
      this.#set(key, entries.filter((entry) => !isOwn(entry)));
      return { granted: 0, others: 0 };
    }
    if (entries.some((entry) => entry.id === id && (entry.since > since || isOwn(entry) && entry.seq > seq))) {
      throw new Error("late");
    }
    const others = entries.filter((entry) => entry.id !== id);
    const sum = others.reduce((total, { count }) => total + count, 0);
    const before = entries.find(isOwn);
    const room = max - sum - have;
    let granted = Math.max(0, Math.min(want, room));
    if (want > 0 && room >= want && split > 0) granted += Math.floor((room - want) / split);
    if (before?.seq === seq) granted = before.count - have;
    const count = have + granted;
    this.#set(key, count > 0 ? [...others, { id, since, seq, count }] : others);
    return { granted, others: sum, ...granted < want && { entries: others } };
  }

  #set(key: string, entries: Entry[]): void {
    if (entries.length > 0) this.keys.set(key, entries);
    else this.keys.delete(key);
  }

  reap(key: string, gone: readonly StoreEntry[]): void {
    const kept = this.keys.get(key)?.filter((entry) => {
      const goes = gone.some(({ id, since, seq }) => id === entry.id && since === entry.since && seq === entry.seq);
      if (goes) this.reaped(key, entry);
      return !goes;
    });
    this.#set(key, kept ?? []);
  }

  beat(sign: LifeSign, gone: readonly LifeSign[]): RegisteredSign[] {
    for (const { id, beat } of gone) if (this.signs.get(id)?.beat === beat) this.signs.delete(id);
    const before = this.signs.get(sign.id);
    if (before === undefined || before.beat < sign.beat) {
      this.signs.set(sign.id, { ...sign, birth: before?.birth ?? sign.beat });
      this.#floors.set(sign.id, sign.floor);
    }
    return [...this.signs.values()];
  }

  leave(id: string): void {
    this.signs.delete(id);
  }

  flush(): void {
    this.keys.clear();
    this.signs.clear();
  }
}
