/**
 * A Cluster of Redis: three masters, and slots that can be moved from one to another.
 *
 * @module
 */

import { eventually } from "../net.ts";
import { type RedisOptions, RunningRedis } from "./running_redis.ts";

const SLOTS = 16_384;

/** Three masters that share the slots. */
export class SmallCluster implements AsyncDisposable {
  readonly masters: readonly RunningRedis[];
  #moving: Promise<void> = Promise.resolve();

  private constructor(masters: readonly RunningRedis[]) {
    this.masters = masters;
  }

  /** Starts it, and waits until each master knows the others. */
  static async start(options: RedisOptions = {}): Promise<SmallCluster> {
    const starting = [0, 1, 2].map(() => RunningRedis.start({ ...options, cluster: true }));
    const started = await Promise.allSettled(starting);
    const cluster = new SmallCluster(started.flatMap((it) => it.status === "fulfilled" ? [it.value] : []));
    try {
      await Promise.all(starting);
      await cluster.#meet();
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #meet(): Promise<void> {
    const { masters } = this;
    for (const [i, master] of masters.entries()) {
      const [first, last] = [i, i + 1].map((n) => Math.ceil(n * SLOTS / masters.length));
      await master.ask("CLUSTER", "ADDSLOTSRANGE", first!, last! - 1);
      await master.ask("CLUSTER", "SET-CONFIG-EPOCH", i + 1);
    }
    for (const other of masters.slice(1)) {
      await masters[0]!.ask("CLUSTER", "MEET", "127.0.0.1", other.port, other.busPort);
    }
    await eventually(async () => {
      const infos = await Promise.all(masters.map((master) => master.ask("CLUSTER", "INFO")));
      return infos.every((info) => /cluster_state:ok/.test(`${info}`) && /cluster_known_nodes:3/.test(`${info}`));
    }, "the Cluster to be whole");
  }

  /** The master that has a key's slot. */
  async masterOf(key: string): Promise<RunningRedis> {
    const slot = await this.masters[0]!.ask("CLUSTER", "KEYSLOT", key) as number;
    for (const master of this.masters) {
      const text = await master.ask("CLUSTER", "NODES") as string;
      const ranges = /^\S+ \S+ \S*myself\S* .*? connected(.*)$/m.exec(text)![1]!.trim().split(" ");
      const has = ranges.some((range) => {
        const [first, last = first] = range.split("-").map(Number);
        return slot >= first! && slot <= last!;
      });
      if (has) return master;
    }
    throw new Error(`no master has the slot of ${key}`);
  }

  /**
   * Moves a key's slot, with all its keys, to another master: clients that ask the former one are told `MOVED`. One slot at a
   * time: a master that takes a slot says so louder than one that has just been given another of its own.
   */
  async move(key: string): Promise<void> {
    const moving = this.#moving.then(() => this.#move(key));
    this.#moving = moving.catch(() => {});
    await moving;
  }

  async #move(key: string): Promise<void> {
    const from = await this.masterOf(key);
    const to = this.masters.find((master) => master !== from)!;
    const slot = await from.ask("CLUSTER", "KEYSLOT", key) as number;
    const [fromId, toId] = [await from.ask("CLUSTER", "MYID"), await to.ask("CLUSTER", "MYID")] as [string, string];
    await to.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", fromId);
    await from.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", toId);
    for (const moved of await from.ask("CLUSTER", "GETKEYSINSLOT", slot, 1_000_000) as string[]) {
      await from.ask("MIGRATE", "127.0.0.1", to.port, moved, 0, 5_000);
    }
    for (const master of [to, from, ...this.masters]) await master.ask("CLUSTER", "SETSLOT", slot, "NODE", toId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.masters.map((master) => master[Symbol.asyncDispose]()));
  }
}
