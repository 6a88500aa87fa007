/**
 * A store in Redis or Valkey.
 *
 * @module
 */

import type { CountReply, CountRequest, LifeSign, RegisteredSign, SharedStore, StoreEntry } from "../shared/store.ts";
import { countOf, signsOf, wholeOf } from "./replies.ts";
import { Script, type SendCommand } from "./script.ts";
import { BEAT, COUNT, LEAVE, REAP, TOTAL } from "./scripts.ts";

/** With so many instances, a key has a sum, so that nobody adds up. */
const MANY = 6;

const SCRIPTS = {
  count: new Script(COUNT),
  reap: new Script(REAP),
  total: new Script(TOTAL),
  beat: new Script(BEAT),
  leave: new Script(LEAVE),
};

/** Keeps counts in hashes: one for each client, aggregate and total, and one for the instances. */
export class RedisStore implements SharedStore {
  readonly ttlMs: number;
  readonly #send: SendCommand;
  readonly #prefix: string;
  readonly #ttl: string;
  #many = "0";

  /** @param prefix What all keys start with. */
  constructor(send: SendCommand, prefix: string, ttlMs: number) {
    this.#send = send;
    this.#prefix = prefix;
    this.ttlMs = ttlMs;
    this.#ttl = `${ttlMs}`;
  }

  count({ key, id, seq, have, want, max, split }: CountRequest): PromiseLike<CountReply> {
    const args = [id, `${seq}`, `${have}`, `${want}`, `${max}`, `${split}`, this.#ttl, this.#many];
    return this.#run("count", key, args).then(countOf);
  }

  reap(key: string, entries: readonly StoreEntry[]): PromiseLike<void> {
    return this.#run("reap", key, entries.flatMap(({ id, seq }) => [id, `${seq}`])).then((reply) =>
      void wholeOf(reply)
    );
  }

  total(key: string): PromiseLike<number> {
    return this.#run("total", key, [""]).then(wholeOf);
  }

  beat({ id, beat, floor, open }: LifeSign, gone: readonly LifeSign[]): PromiseLike<readonly RegisteredSign[]> {
    const args = [id, `${beat}`, `${floor}`, `${open}`, this.#ttl, ...gone.flatMap((it) => [it.id, `${it.beat}`])];
    return this.#run("beat", "i", args).then((reply) => {
      const signs = signsOf(reply);
      this.#many = signs.length >= MANY ? "1" : "0";
      return signs;
    });
  }

  leave(id: string): PromiseLike<void> {
    return this.#run("leave", "i", [id]).then((reply) => void wholeOf(reply));
  }

  #run(script: keyof typeof SCRIPTS, key: string, args: readonly string[]): PromiseLike<unknown> {
    return SCRIPTS[script].run(this.#send, this.#prefix + key, args);
  }
}
