/**
 * One connection of the crowd.
 *
 * @module
 */

import { type Client, connectFrom } from "../../testing/net.ts";
import type { Random } from "../../testing/random.ts";
import type { Target } from "./soaked_servers.ts";
import { type Behaviour, behaviourOf } from "./echo_behaviour.ts";

/**
 * How a visit went: served to the end; refused; ended by the visitor himself; ended first by a server that had a mind to;
 * not as it should; or not within ten seconds.
 */
export type Outcome = "served" | "refused" | "left" | "cut" | "broken" | "stuck";

/** How long, in milliseconds, one that has ended its side waits for the server to end its own. */
const PATIENCE = 2_000;

/** What clients have open for sure: those that have been echoed something and have not begun to leave. */
export class Held {
  readonly #counts = new Map<string, number>();
  #total = 0;
  /** The most of all, and of one address. */
  peak = 0;
  peakOfClient = 0;

  add(address: string): void {
    const count = (this.#counts.get(address) ?? 0) + 1;
    this.#counts.set(address, count);
    this.peak = Math.max(this.peak, ++this.#total);
    // A client of a network with more room says nothing of the others.
    if (!address.startsWith("127.77.")) this.peakOfClient = Math.max(this.peakOfClient, count);
  }

  delete(address: string): void {
    const count = this.#counts.get(address)! - 1;
    if (count === 0) this.#counts.delete(address);
    else this.#counts.set(address, count);
    this.#total--;
  }
}

/** A connection, with what its visit needs. */
export class Visitor implements Disposable {
  readonly client: Client;
  readonly random: Random;
  readonly target: Target;
  /** How the server treats it, if it is one that echoes. */
  readonly behaviour: Behaviour;
  readonly #address: string;
  readonly #held: Held;
  readonly #closed: Promise<void>;
  #isHeld = false;
  #leaving = false;

  constructor(client: Client, address: string, target: Target, random: Random, held: Held) {
    this.client = client;
    this.random = random;
    this.target = target;
    this.behaviour = behaviourOf(client.socket.localPort ?? 0);
    this.#address = address;
    this.#held = held;
    this.#closed = new Promise((resolve) =>
      client.socket.once("close", () => {
        this.#release();
        resolve();
      })
    );
  }

  /** Connects from an address. */
  static async connect(address: string, target: Target, random: Random, held: Held): Promise<Visitor> {
    const host = address.includes(":") ? address : "127.0.0.1";
    return new Visitor(await connectFrom(address, target.port, host), address, target, random, held);
  }

  /** Whether the connection has ended on this side too. */
  get closed(): boolean {
    return this.client.socket.destroyed;
  }

  /** Whether this side has begun to end it. */
  get leaving(): boolean {
    return this.#leaving;
  }

  /** Something has come, so the connection is admitted. */
  admitted(): void {
    if (this.#isHeld || this.#leaving || this.closed || this.behaviour !== "echo") return;
    this.#isHeld = true;
    this.#held.add(this.#address);
  }

  #release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#held.delete(this.#address);
  }

  /** Waits, as long as the connection is open. */
  async wait(milliseconds: number): Promise<void> {
    if (this.closed) return;
    let timer;
    await Promise.race([this.#closed, new Promise((resolve) => timer = setTimeout(resolve, milliseconds))]);
    clearTimeout(timer);
  }

  /** Ends this side, and waits for the other. */
  async end(): Promise<void> {
    this.#leave();
    this.client.fin();
    // Reads what comes, or the end would never be seen.
    this.client.socket.resume();
    await this.wait(PATIENCE);
    this.client[Symbol.dispose]();
  }

  /** Leaves without a word. */
  abandon(): void {
    this.#leave();
    if (this.random.below(2) < 1) this.client.reset();
    else this.client[Symbol.dispose]();
  }

  /** Leaves in any way. */
  async leave(): Promise<void> {
    if (this.random.below(3) < 1) await this.end();
    else this.abandon();
  }

  #leave(): void {
    this.#leaving = true;
    this.#release();
  }

  /** This side is ending by what has been written already. */
  saysGoodBye(): void {
    this.#leave();
  }

  [Symbol.dispose](): void {
    this.#leave();
    this.client[Symbol.dispose]();
  }
}
