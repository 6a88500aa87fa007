/**
 * A store in memory that workers and child processes count in.
 *
 * @module
 */

import { Channel, type ChannelLike } from "./channel.ts";
import { countRequestOf, entriesOf, signOf, signsOf, textOf } from "./check_request.ts";
import type { CountRequest, SharedStore } from "./store.ts";

/** A store, and what only those who serve it do. */
export interface ServedStore {
  readonly store: SharedStore;
  /** The name of the limit. */
  readonly name: string;
  /** An instance is there from now on, until it is dropped. */
  watch(id: string): void;
  /** An instance has ended. */
  drop(id: string): void;
  /** The number of keys at which an instance has connections. */
  keysOf(id: string): number;
}

/** The instances of one worker, and their keys, at most. No worker that is what it should be has as many. */
const MOST_INSTANCES = 16;
const MOST_KEYS = 1_000_000;

/** By store and instance, who has it. Nobody else may speak for it. */
const owners = new WeakMap<ServedStore, Map<string, object>>();

/** Serves a store by a channel until the other end is gone. Returns what ends that. */
export function serveStore(part: ServedStore, channel: ChannelLike): () => void {
  const { name, store } = part;
  const mine = new Set<string>();
  let owned = owners.get(part);
  if (owned === undefined) owners.set(part, owned = new Map());
  const ownerOf = owned;

  const own = (id: string): string => {
    if (mine.has(id)) return id;
    if (ownerOf.has(id)) throw new TypeError("the instance is another's");
    if (mine.size >= MOST_INSTANCES) throw new RangeError("too many instances");
    mine.add(id);
    ownerOf.set(id, served);
    if (served.tellsEnd) part.watch(id);
    return id;
  };
  const disown = (id: string) => {
    part.drop(id);
    ownerOf.delete(id);
    mine.delete(id);
  };

  /** Nobody needs to be told that a limiter in this thread has died, as long as this thread is there to be told. */
  const isServed = ({ id }: { readonly id: string }) => ownerOf.has(id);

  const count = (value: unknown) => {
    const request: CountRequest = countRequestOf(value);
    own(request.id);
    let keys = 0;
    for (const id of mine) keys += part.keysOf(id);
    if (keys >= MOST_KEYS) throw new RangeError("too many keys");
    return store.count(request);
  };
  const calls: Readonly<Record<string, (...args: unknown[]) => PromiseLike<unknown>>> = {
    count,
    reap: (key, entries) => store.reap(textOf(key), entriesOf(entries).filter(isServed)),
    total: (key) => store.total(textOf(key)),
    beat(value, gone) {
      const sign = signOf(value);
      own(sign.id);
      return store.beat(sign, signsOf(gone).filter(isServed));
    },
    async leave(value) {
      const id = textOf(value);
      if (!mine.has(id)) return;
      disown(id);
      await store.leave(id);
    },
  };

  const served = new Channel(channel, {
    async heard([limit, call, method, ...args]) {
      if (limit !== name || typeof call !== "string" || typeof method !== "string") return;
      try {
        if (!Object.hasOwn(calls, method)) throw new TypeError("there is no such request");
        const reply = await calls[method]!(...args);
        served.post([name, call, true, reply]);
      } catch (error) {
        served.post([name, call, false, error instanceof Error ? error.message : "the request failed"]);
      }
    },
    ended: () => end(),
  });
  const end = () => {
    served.close();
    for (const id of [...mine]) disown(id);
  };
  return end;
}
