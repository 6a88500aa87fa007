/**
 * Workers and child processes that share limits by a store in this process.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { MemoryStore } from "@connlimit/connlimit/shared";
import { Channel } from "../../../src/shared/channel.ts";
import { eventually } from "../net.ts";
import type { Started } from "./ends.ts";

const SHARER = new URL("sharer_end.ts", import.meta.url);

/** One of them. */
export class Sharer {
  readonly #said: unknown[] = [];
  readonly #commands: Channel;
  readonly started: Started;

  constructor(started: Started, stores: readonly MemoryStore[]) {
    this.started = started;
    const heard = ([word, answer]: readonly unknown[]) => word === "said" && this.#said.push(answer);
    for (const store of stores) store.serve(started.channel);
    this.#commands = new Channel(started.channel, { heard, ended() {} });
  }

  /** Waits for what it says next. */
  async says<T>(): Promise<T> {
    await eventually(() => this.#said.length > 0, "a worker's answer");
    return this.#said.shift() as T;
  }

  /** Tells it what to do. Resolves to its answer. */
  does<T = number>(command: string, ...args: readonly number[]): Promise<T> {
    this.tell(command, ...args);
    return this.says<T>();
  }

  /** The same for what has no answer. */
  tell(command: string, ...args: readonly number[]): void {
    this.#commands.post([command, ...args]);
  }
}

/** Some of them, and the stores. */
export class Sharers implements AsyncDisposable {
  readonly store: MemoryStore = new MemoryStore();
  readonly stores: readonly MemoryStore[];
  readonly all: Sharer[] = [];

  /** @param names The names of further limits. */
  constructor(names: readonly string[] = []) {
    this.stores = [this.store, ...names.map((name) => new MemoryStore({ name }))];
  }

  async start(count: number, start: (file: URL) => Started): Promise<Sharer[]> {
    const started = Array.from({ length: count }, () => new Sharer(start(SHARER), this.stores));
    this.all.push(...started);
    for (const sharer of started) assertEquals(await sharer.says(), "ready");
    return started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { started } of this.all) await started.kill();
    await eventually(() => this.store.keys + this.store.instances === 0, "nothing to be left");
  }
}
