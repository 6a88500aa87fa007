/**
 * Several limiters in this process that share one limit, each with a client and a network of its own; and the truth of how
 * many connections they hold together, which is counted here and asked of nobody.
 *
 * @module
 */

import { SharedLimiter } from "@connlimit/connlimit/redis";
import type { Slot } from "@connlimit/connlimit";
import { assertEquals } from "@std/assert";
import { CLIENTS, type Connect, type ConnectedClient, type Send } from "./clients.ts";
import { Relay } from "./relay.ts";
import { type RedisOptions, RunningRedis } from "./running_redis.ts";

/** How long the limiters wait for what, in milliseconds. */
export interface Pace {
  readonly heartbeatMs: number;
  readonly deadMs: number;
  readonly deadlineMs: number;
  readonly keyTtlMs: number;
}

/** As short as a busy machine allows. */
export const SHORT: Pace = { heartbeatMs: 150, deadMs: 1_000, deadlineMs: 100, keyTtlMs: 3_000 };

/** The most that the client may hold, over all limiters. */
export const LIMIT = 6;

/** The client that all connections come from. */
const PEER = { remoteAddr: { transport: "tcp", hostname: "192.0.2.7", port: 50_000 } } as const;

/** Milliseconds: what the slowest failure takes with the usual heartbeats, twice. */
const DEADLINE = 40_000;

/** Waits for a condition, as `eventually()` does, and for as long as the usual heartbeats need. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const start = performance.now(); !(await condition());) {
    if (performance.now() - start > DEADLINE) throw new Error(`waited ${DEADLINE} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** What stands between a limiter and its client. */
export type Tamper = (send: Send) => Send;

/** What a lab is made of. */
export interface LabOptions extends RedisOptions {
  readonly pace?: Pace;
  /** @default {2} */
  readonly instances?: number;
  /** @default {"closed"}, so that what is measured is the protocol */
  readonly onStoreDown?: "local" | "open" | "closed";
  /** @default {CLIENTS.ioredis} */
  readonly connect?: Connect;
  /** A server that is there already, and that others may use meanwhile. */
  readonly redis?: RunningRedis;
  /** A port of a Cluster. */
  readonly port?: number;
  /** For the first limiter only. */
  readonly tamper?: Tamper;
}

/** One limiter. */
export class Instance {
  readonly limiter: SharedLimiter;
  readonly held: Slot[] = [];
  readonly statuses: string[] = [];

  constructor(send: Send, name: string, { pace = SHORT, onStoreDown = "closed" }: LabOptions) {
    const onStatus = (status: string) => void this.statuses.push(status);
    this.limiter = new SharedLimiter({ maxPerClient: LIMIT }, { send, name, onStoreDown, onStatus, ...pace });
  }

  /** Asks for so many slots at once. Resolves to how many there were. */
  async take(count: number): Promise<number> {
    const admissions = await Promise.all(Array.from({ length: count }, () => this.limiter.tryAccept(PEER)));
    const slots = admissions.filter((admission) => admission.admitted);
    this.held.push(...slots);
    return slots.length;
  }

  /** Gives so many back. */
  give(count: number = this.held.length): void {
    for (const slot of this.held.splice(0, count)) slot.release();
  }
}

let labs = 0;

/** A store, its limiters, and what they hold. */
export class Lab implements AsyncDisposable {
  /** The name of the limit. No other lab has it. */
  readonly name: string = `lab-${++labs}`;
  readonly instances: Instance[] = [];
  readonly relays: Relay[] = [];
  readonly #options: LabOptions;
  readonly #ends: AsyncDisposable[] = [];
  /** Those that a test has taken out of the count, too. */
  readonly #limiters: SharedLimiter[] = [];
  #redis: RunningRedis | undefined;
  #most = 0;

  private constructor(options: LabOptions) {
    this.#options = options;
  }

  static async start(options: LabOptions = {}): Promise<Lab> {
    const lab = new Lab(options);
    try {
      if (options.port === undefined) lab.#redis = options.redis ?? lab.#use(await RunningRedis.start(options));
      for (let i = 0; i < (options.instances ?? 2); i++) await lab.#add(i === 0 ? options.tamper : undefined);
      await lab.up();
      return lab;
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #add(tamper: Tamper = (send) => send): Promise<void> {
    const { port = this.redis.port, connect = CLIENTS.ioredis! } = this.#options;
    // A Cluster's clients learn the addresses of its nodes, so there is no relay before them.
    const relay = this.#options.port === undefined ? this.#use(await Relay.start(port)) : undefined;
    if (relay !== undefined) this.relays.push(relay);
    const client: ConnectedClient = this.#use(await connect({ port: relay?.port ?? port }));
    const instance = new Instance(tamper(client.send), this.name, this.#options);
    this.instances.push(instance);
    this.#limiters.push(instance.limiter);
  }

  #use<T extends AsyncDisposable>(thing: T): T {
    this.#ends.push(thing);
    return thing;
  }

  get redis(): RunningRedis {
    return this.#redis!;
  }

  get pace(): Pace {
    return this.#options.pace ?? SHORT;
  }

  /** How many connections all limiters hold. */
  get open(): number {
    return this.instances.reduce((sum, { held }) => sum + held.length, 0);
  }

  /** The most that were open over the limit, at any time that somebody took one. */
  get over(): number {
    return Math.max(0, this.#most - LIMIT);
  }

  /** Asks for slots at a limiter, or at all of them at once. Resolves to how many there were. */
  async take(count: number, instance?: Instance): Promise<number> {
    const asked = instance === undefined ? this.instances : [instance];
    const taken = await Promise.all(asked.map((it) => it.take(count)));
    this.#most = Math.max(this.#most, this.open);
    return taken.reduce((sum, it) => sum + it);
  }

  /** Waits until a limiter holds so many. On a busy machine an answer may come after the deadline. */
  async hold(count: number, instance: Instance = this.instances[0]!): Promise<void> {
    await until(async () => {
      await this.take(count - instance.held.length, instance);
      return instance.held.length === count;
    }, `${count} slots`);
  }

  /** The keys of its limit. */
  async keys(): Promise<string[]> {
    using observer = await this.redis.observe();
    return await observer.keys(`connlimit:${this.name}:*`);
  }

  /** Waits until all limiters say that the store is there. */
  async up(): Promise<void> {
    await until(() => this.instances.every(({ limiter }) => limiter.status === "up"), "the store to be there");
  }

  /** Until a limiter has told that the store is away. */
  async down(instance: Instance): Promise<void> {
    await until(() => instance.limiter.status === "down", "the limiter to see that the store is away");
  }

  /** Waits until the limiters together hold as many as the limit allows, and can have no more. */
  async heal(): Promise<void> {
    await until(async () => {
      await this.take(1);
      return this.open >= LIMIT;
    }, "the limit to be reached again");
    assertEquals([await this.take(LIMIT), this.open], [0, LIMIT]);
  }

  /** Ends the limiters. What is in the store then is nobody's. */
  async close(): Promise<void> {
    for (const instance of this.instances) instance.give();
    await Promise.all(this.#limiters.map((limiter) => limiter.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    for (const end of this.#ends.reverse()) await end[Symbol.asyncDispose]();
  }
}
