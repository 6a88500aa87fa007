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

  /** Has it take slots. Where the machine is busy, its limiter may have to hear from the store first. */
  async takes(count: number, client: number = 0): Promise<number> {
    let taken = 0;
    await eventually(async () => (taken += await this.does("take", count - taken, client)) === count, "its slots");
    return taken;
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
