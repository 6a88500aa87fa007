/**
 * A shared limit with all that can happen to it, on the code as it is: the network, the store and the time are the model's.
 *
 * @module
 */

import type { StoreEntry } from "../../../src/shared/store.ts";
import type { Chooser } from "./chooser.ts";
import { ModelClock, settle } from "./model_clock.ts";
import { ModelError } from "./model_error.ts";
import { ModelInstance, PACE, TTL_MS } from "./model_instance.ts";
import { ModelNetwork } from "./model_network.ts";
import { ModelStore } from "./model_store.ts";
import type { Setup, Weights } from "./setups.ts";

const LATE_MS = 9_000;
/** All entries have been said again twice, and the dead have been noticed. */
const HEALED_MS = 3 * TTL_MS + 2 * PACE.deadMs;

/** Runs one schedule. */
export class SharedModel {
  readonly #setup: Setup;
  readonly #chooser: Chooser;
  readonly #clock = new ModelClock();
  readonly #store = new ModelStore();
  readonly #network = new ModelNetwork(this.#store);
  readonly #instances: ModelInstance[] = [];
  readonly #trace: string[] = [];
  readonly #keys: readonly { name: string; max: number; has: (client: string) => boolean }[];
  #started = 0;
  /** How often the store, or the others, have dropped what an instance still had. */
  #dropped = 0;
  #problem: string | undefined;

  constructor(setup: Setup, chooser: Chooser) {
    this.#setup = setup;
    this.#chooser = chooser;
    const { limits, clients } = setup;
    const { maxTotal = Infinity, aggregates: [aggregate] = [] } = limits;
    this.#keys = [
      ...clients.map((client) => ({
        name: `c:${client}`,
        max: limits.maxPerClient,
        has: (it: string) => it === client,
      })),
      ...aggregate ? [{ name: "a:10.0.0.0/24", max: aggregate.max, has: () => true }] : [],
      ...maxTotal < Infinity ? [{ name: "t", max: maxTotal, has: () => true }] : [],
    ];
    this.#store.reaped = (key, entry) => this.#reaped(key, entry);
  }

  /** Runs. Rejects with what is wrong. */
  async run(): Promise<void> {
    const { instances, steps, signsArrive } = this.#setup;
    for (let i = 0; i < instances; i++) this.#start();
    this.#network.flow((what) => this.#trace.push(what));
    for (let step = 0; step < steps; step++) {
      const actions = this.#actions();
      if (actions.length === 0) break;
      const [name, act] = actions[this.#chooser.choose(actions.length)]!;
      this.#trace.push(name);
      act();
      if (signsArrive) this.#deliverSigns();
      await settle();
      this.#check();
    }
    await this.#heal();
  }

  #actions(): [string, () => void][] {
    const actions: [string, () => void][] = [];
    const { weights, clients } = this.#setup;
    const { messages, replies } = this.#network;
    const add = (kind: keyof Weights, name: string, act: () => void) => {
      for (let i = 0; i < (weights[kind] ?? 0); i++) actions.push([`${kind} ${name}`, act]);
    };
    for (const instance of this.#instances.filter(({ alive }) => alive)) {
      for (const client of clients) add("accept", `${instance.id} ${client}`, () => instance.accept(client));
      if (instance.slots.length > 0) add("release", instance.id, () => instance.release());
      add("crash", instance.id, () => this.#crash(instance));
      add("resync", instance.id, () => instance.admission.sharing.resync());
    }
    messages.forEach((message) => {
      const name = `${(message.owner as ModelInstance).id}: ${message.what}`;
      add("execute", name, () => this.#network.execute(message));
      add("drop", name, () => this.#network.drop(message));
      add("mute", name, () => this.#network.execute(message, { replies: false }));
      add("again", name, () => this.#network.execute(message, { again: true }));
      add("fail", name, () => this.#network.fail(message, this.#clock.now % 2 > 1));
    });
    replies.forEach((reply) => {
      const { owner, what } = reply.message;
      add(
        "deliver",
        `${(owner as ModelInstance).id}: ${what}: ${JSON.stringify(reply.outcome)}`,
        () => this.#network.deliver(reply),
      );
    });
    if (this.#clock.next < Infinity) {
      add("tick", "", () => this.#clock.step());
      add("late", "", () => this.#clock.step(LATE_MS));
    }
    if (this.#started < 5) add("start", "", () => this.#start());
    add("flush", "", () => {
      this.#dropped++;
      this.#store.flush();
    });
    return actions;
  }

  #start(): void {
    const { limits, onStoreDown = "closed" } = this.#setup;
    const id = `i${this.#started++}`;
    this.#instances.push(new ModelInstance(id, limits, onStoreDown, this.#clock, this.#network));
  }

  #crash(instance: ModelInstance): void {
    instance.alive = false;
    instance.slots.length = 0;
    this.#clock.stop(instance);
    this.#network.forget(instance);
  }

  #deliverSigns(): void {
    for (const message of this.#network.messages.filter(({ isBeat }) => isBeat)) this.#network.execute(message);
    for (const reply of this.#network.replies.filter(({ message }) => message.isBeat)) this.#network.deliver(reply);
  }

  #open(has: (client: string) => boolean): number {
    return this.#instances.reduce((sum, instance) => sum + instance.open(has), 0);
  }

  /** Whatever has happened so far. */
  #check(): void {
    if (this.#problem !== undefined) this.#fail(this.#problem);
    if (this.#setup.onStoreDown === "local") return;
    for (const { name, max, has } of this.#keys) {
      const open = this.#open(has);
      if (open > max * (1 + this.#dropped)) this.#fail(`${open} open of ${name} at a limit of ${max}`);
      if (this.#dropped > 0) continue;
      for (const instance of this.#instances) {
        const [here, there] = [instance.open(has), this.#store.countOf(name, instance.id)];
        if (instance.trusts && here > there) {
          this.#fail(`${here} open of ${name} at ${instance.id}, ${there} published`);
        }
      }
    }
  }

  /** Nobody who relies on its entries may lose one that counts. */
  #reaped(key: string, entry: StoreEntry): void {
    const { id } = entry;
    const instance = this.#instances.find((it) => it.id === id)!;
    if (!instance.alive) return;
    const { has } = this.#keys.find(({ name }) => name === key)!;
    const left = this.#store.countOf(key, id) - entry.count;
    if (instance.open(has) <= left) return;
    if (instance.trusts && this.#dropped === 0) {
      this.#problem ??= `${key} was taken from ${id}, which relies on it: ${JSON.stringify(entry)}, ${
        JSON.stringify([...this.#store.signs.values()])
      } now ${this.#clock.now}`;
    }
    this.#dropped++;
  }

  /** From now on nothing fails, except that messages of before may still arrive. */
  async #heal(): Promise<void> {
    this.#trace.push("heal");
    if (this.#instances.every(({ alive }) => !alive)) this.#start();
    const late = this.#network.messages;
    [this.#network.messages, this.#network.replies] = [[], []];
    const start = this.#clock.now;
    await this.#pass(start + (late.length % 2 === 0 ? 0 : 5_000));
    for (const message of late) {
      this.#trace.push(`late ${(message.owner as ModelInstance).id}: ${message.what}`);
      message.execute();
    }
    await this.#pass(this.#clock.now + HEALED_MS);
    if (this.#keys.some(({ max, has }) => this.#open(has) > max)) {
      this.#each((it) => it.slots.splice(0).forEach((slot) => slot.release()));
    }
    await this.#fill();
    await this.#pass(this.#clock.now + 1_000);
    for (const { name, has } of this.#keys) {
      // What a dead instance has left, or an old message, goes when somebody needs the room.
      const alive = this.#instances.filter((it) => it.alive);
      const [open, there] = [this.#open(has), alive.reduce((sum, { id }) => sum + this.#store.meant(name, id), 0)];
      if (open !== there) this.#fail(`${open} open of ${name}, the store has ${there}`);
    }
    this.#each((it) => it.slots.splice(0).forEach((slot) => slot.release()));
    await this.#pass(this.#clock.now + 1_000);
    const ends = this.#instances.filter(({ alive }) => alive).map(({ admission }) => admission.close());
    for (let i = 0; i < 20; i++) {
      this.#network.flow((what) => this.#trace.push(what));
      await settle();
    }
    await Promise.all(ends);
    const left = this.#instances.filter(({ id, alive }) =>
      alive && this.#keys.some(({ name }) => this.#store.meant(name, id) > 0)
    );
    if (left.length > 0) this.#fail(`${left.map(({ id }) => id)} have left something`);
  }

  /** All that the limit allows can be had. */
  async #fill(): Promise<void> {
    const { clients, limits } = this.#setup;
    const isFull = () => this.#keys.filter(({ max, has }) => this.#open(has) === max);
    const [total] = this.#keys.toReversed();
    const isWide = limits.maxTotal !== undefined || limits.aggregates !== undefined;
    const isDone = () => isWide ? isFull().includes(total!) : isFull().length === clients.length;
    // Somebody who is only now heard of is dead after some time; and then, at another key, another one.
    for (const end = this.#clock.now + this.#keys.length * 2 * PACE.deadMs; !isDone();) {
      if (this.#clock.now > end) break;
      for (const client of clients) this.#each((it) => it.accept(client));
      await this.#pass(this.#clock.now + 400);
    }
    if (isDone()) return;
    const state = this.#keys.map(({ name, has }) =>
      `${name}: ${this.#open(has)} open, the store has ${this.#store.countOf(name)}`
    );
    this.#fail(`the limit cannot be reached: ${state.join("; ")}`);
  }

  async #pass(until: number): Promise<void> {
    for (;;) {
      this.#network.flow((what) => this.#trace.push(what));
      await settle();
      this.#check();
      if (this.#network.messages.length > 0) continue;
      if (this.#clock.next > until) break;
      this.#clock.step();
    }
    this.#clock.now = until;
  }

  #each(act: (instance: ModelInstance) => void): void {
    this.#instances.filter(({ alive }) => alive).forEach(act);
  }

  #fail(problem: string): never {
    this.#trace.push(JSON.stringify([...this.#store.keys]), JSON.stringify([...this.#store.signs.values()]));
    this.#trace.push(
      ...this.#instances.map((it) => `${it.id} ${it.alive} trusts ${it.trusts} ${it.slots.length} open`),
    );
    throw new ModelError(`${problem}\n  ${this.#trace.slice(-60).join("\n  ")}`);
  }
}
