/**
 * What holds of a limit that is shared through a store, on every adapter.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import {
  type CountReply,
  type CountRequest,
  MemoryStore,
  type SharingLimitOptions,
  StoreLimiter,
} from "@connlimit/connlimit/shared";
import { connectFrom, eventually, within } from "./net.ts";
import { type Adapter, type Server, Visitor } from "./pending_trial.ts";
import { turns } from "./settled.ts";
import { withResolvers } from "./slow_admitter.ts";

const CLIENT = "127.0.0.1";

/** A store that answers to counts when it is told. */
class HeldStore extends MemoryStore {
  #held: Promise<unknown> | undefined;
  #release: () => void = () => {};

  hold(): void {
    const { promise, resolve } = withResolvers<unknown>();
    [this.#held, this.#release] = [promise, () => resolve(undefined)];
  }

  release(): void {
    this.#release();
    this.#held = undefined;
  }

  override async count(request: CountRequest): Promise<CountReply> {
    await this.#held;
    return await super.count(request);
  }
}

/** A server with a limiter, and another limiter, which share a limit of two. */
class StoreTrial implements AsyncDisposable {
  readonly store = new HeldStore();
  readonly other = new StoreLimiter({ maxPerClient: 2 }, this.store);
  readonly limiter: StoreLimiter;
  readonly refused: string[] = [];
  readonly #adapter: Adapter;
  readonly #visitors: Visitor[] = [];
  #server: Server | undefined;

  constructor(adapter: Adapter, options: SharingLimitOptions = {}) {
    this.#adapter = adapter;
    this.limiter = new StoreLimiter({ maxPerClient: 2 }, this.store, options);
  }

  get server(): Server {
    return this.#server!;
  }

  async serve(): Promise<this> {
    const onRefused = ({ reason }: { readonly reason: string }) => void this.refused.push(reason);
    this.#server = await this.#adapter.serve({ admitter: this.limiter, hooks: { onRefused } });
    await eventually(() => this.limiter.status === "up" && this.other.status === "up", "the store");
    return this;
  }

  async visit(words: string = this.#adapter.words): Promise<Visitor> {
    const visitor = new Visitor(await connectFrom(CLIENT, this.server.port), this.#adapter, words);
    this.#visitors.push(visitor);
    return visitor;
  }

  async answered(visitor: Visitor): Promise<void> {
    await visitor.answered(this.#adapter.answer);
  }

  async turnedAway(visitor: Visitor): Promise<void> {
    const { refusal = "" } = this.#adapter;
    if (refusal === "") assertStrictEquals(await visitor.ended(), "");
    else await visitor.answered(refusal);
  }

  /** Waits until so many connections are pending. */
  async pending(count: number): Promise<void> {
    await eventually(() => this.limiter.stats().pending === count, `${count} connections to be pending`);
  }

  /** Closes the server, once. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.[Symbol.asyncDispose]();
  }

  /** Nothing is left here, and nothing in the store. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.store.release();
    for (const visitor of this.#visitors) visitor[Symbol.dispose]();
    await this.close();
    await eventually(() => this.limiter.open + this.limiter.stats().pending === 0, "every slot to be free");
    await Promise.all([this.limiter.close(), this.other.close()]);
    await eventually(() => this.store.keys + this.store.instances === 0, "the store to be empty");
  }
}

/** The rules, by what they say. */
export const STORE_RULES: Readonly<Record<string, (adapter: Adapter) => Promise<void>>> = {
  "refuses whoever has all connections elsewhere, until one is closed there": async (adapter) => {
    await using trial = await new StoreTrial(adapter).serve();
    const slots = [await trial.other.accept(CLIENT), await trial.other.accept(CLIENT)];
    await trial.turnedAway(await trial.visit());
    assertEquals(trial.refused.splice(0), ["client"]);
    slots[0]!.release();
    // The store is not asked again for a moment.
    await eventually(async () => await trial.other.openEverywhere(CLIENT) === 1, "the slot to be free");
    await eventually(async () => {
      const visitor = await trial.visit();
      await eventually(() => visitor.text !== "" || trial.refused.length > 0, "an answer or a refusal");
      return trial.refused.splice(0).length === 0;
    }, "a connection to be admitted");
    slots[1]!.release();
  },

  "holds connections while the store is slow, and keeps nothing of who leaves": async (adapter) => {
    await using trial = await new StoreTrial(adapter, { deadlineMs: 20_000, deadMs: 60_000 }).serve();
    trial.store.hold();
    const stays = await trial.visit();
    await trial.pending(1);
    const leaves = await trial.visit(adapter.hearsSilent ? "" : undefined);
    await trial.pending(2);
    leaves.reset();
    if (!adapter.blind) await trial.pending(1);
    assertEquals([trial.server.served, stays.text, trial.refused], [[], "", []]);
    trial.store.release();
    await trial.answered(stays);
    await trial.pending(0);
  },

  "serves by its own counts where the store never answers": async (adapter) => {
    await using trial = await new StoreTrial(adapter, { deadlineMs: 10 }).serve();
    trial.store.hold();
    await trial.answered(await trial.visit());
    assertEquals(trial.refused, []);
  },

  "closes while the store is asked": async (adapter) => {
    await using trial = await new StoreTrial(adapter, { deadlineMs: 20_000, deadMs: 60_000 }).serve();
    trial.store.hold();
    const visitor = await trial.visit();
    await trial.pending(1);
    const closed = trial.close();
    await turns();
    trial.store.release();
    await trial.pending(0);
    visitor[Symbol.dispose]();
    await within(closed, "the server to close");
  },
};

/** The same for those that close what is pending. */
export async function stopsAtOnce(adapter: Adapter): Promise<void> {
  await using trial = await new StoreTrial(adapter, { deadlineMs: 20_000, deadMs: 60_000 }).serve();
  trial.store.hold();
  const visitor = await trial.visit();
  await trial.pending(1);
  await within(trial.server.stop!(), "the stop");
  assertStrictEquals(await visitor.ended(), "");
  assertEquals(trial.server.served, []);
}
