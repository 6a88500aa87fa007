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

const REMOVED: CountReply = { granted: 0, others: 0 };

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

  count(request: CountRequest): PromiseLike<CountReply> {
    const { key, id, seq, since, unsure, have, want, max, split } = request;
    const field = `${id}:${since}`;
    if (have + want + split === 0 && this.#many === "0") return this.#remove(key, field);
    const many = unsure ? "0" : this.#many;
    const mark = seq === since ? "" : `:${seq}`;
    const args = [field, `${seq}`, `${have}`, `${want}`, `${max}`, `${split}`, this.#ttl, many, mark];
    return this.#run("count", key, args).then(countOf);
  }

  /** The cheap way. The field belongs to one entry, so whenever this is executed it harms no other. */
  #remove(key: string, field: string): PromiseLike<CountReply> {
    const name = this.#prefix + key;
    return this.#send(["HDEL", name, field], name).then((reply) => {
      wholeOf(reply);
      return REMOVED;
    });
  }

  reap(key: string, entries: readonly StoreEntry[]): PromiseLike<void> {
    const args = entries.flatMap(({ id, since, seq }) => [`${id}:${since}`, `${seq}`]);
    return this.#run("reap", key, args).then((reply) => void wholeOf(reply));
  }

  total(key: string): PromiseLike<number> {
    return this.#run("total", key, []).then(wholeOf);
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
