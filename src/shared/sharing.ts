/**
 * One instance of a shared limit.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { HostedKey, KeyHost } from "./key_host.ts";
import { KeyTable } from "./key_table.ts";
import type { SharedLevel } from "./level_needs.ts";
import { Liveness } from "./liveness.ts";
import { Questions } from "./questions.ts";
import { Republisher } from "./republisher.ts";
import type { SharedKey } from "./shared_key.ts";
import type { SharedStore, StoreEntry } from "./store.ts";
import { StoreHealth, type StoreStatus } from "./store_health.ts";
import type { Ticket } from "./ticket.ts";

/** How an instance shares. */
export interface SharingOptions {
  readonly id: string;
  readonly store: SharedStore;
  readonly clock: Clock;
  readonly heartbeatMs: number;
  readonly deadMs: number;
  readonly deadlineMs: number;
  readonly onStoreDown: "local" | "open" | "closed";
  readonly changed: (status: StoreStatus, cause: unknown) => void;
  /** How many connections are open here. */
  readonly open: () => number;
}

/** What is leased and not used goes back after one or two of these, in milliseconds. */
const TICK_MS = 100;

/** Everything is said again once in this part of the time after which a store forgets, but after three minutes at the latest. */
const REPUBLISHED = 0.3;
const REPUBLISH_MS = 180_000;

/** How long saying everything again takes after the store has lost it, in milliseconds. */
const URGENT_MS = 10_000;

/** So many keys are asked about at once, and then others after a pause. */
const PORTION = 1_000;
const PAUSE_MS = 20;

/** Has the keys of an instance, and what they need. */
export class Sharing implements KeyHost {
  readonly id: string;
  readonly store: SharedStore;
  readonly health: StoreHealth;
  readonly liveness: Liveness;
  readonly questions: Questions;
  readonly tables: Readonly<Record<SharedLevel, KeyTable>>;
  epoch = 0;
  closing = false;
  readonly #clock: Clock;
  readonly #heartbeat: Heartbeat;
  readonly #republisher: Republisher;
  readonly #onStoreDown: SharingOptions["onStoreDown"];
  readonly #period: number;
  readonly #needy = new Set<HostedKey>();
  readonly #ticking = new Set<HostedKey>();
  #seq = 0;
  #republishedAt: number;
  #tickCancel: (() => void) | undefined;
  #servingCancel: (() => void) | undefined;

  constructor(options: SharingOptions) {
    const { id, store, clock, heartbeatMs, deadMs, deadlineMs, onStoreDown, changed, open } = options;
    this.id = id;
    this.store = store;
    this.#clock = clock;
    this.#onStoreDown = onStoreDown;
    const now = () => clock.now();
    this.tables = {
      client: new KeyTable("client", this, now),
      aggregate: new KeyTable("aggregate", this, now),
      network: new KeyTable("network", this, now),
      total: new KeyTable("total", this, now),
    };
    this.questions = new Questions(clock, deadlineMs);
    this.liveness = new Liveness(deadMs, Math.max(store.ttlMs, 2 * deadMs));
    this.health = new StoreHealth(clock, deadMs, (status, cause) => {
      changed(status, cause);
      if (status === "down") { for (const key of this.#needy) key.giveUp(); }
    });
    this.#republisher = new Republisher(clock, () => this.#keys(), () => this.nextSeq());
    this.#period = Math.min(REPUBLISH_MS, REPUBLISHED * store.ttlMs);
    this.#republishedAt = clock.now();
    this.#heartbeat = new Heartbeat({
      ...{ id, store, clock, heartbeatMs, deadMs },
      ...{ questions: this.questions, health: this.health, liveness: this.liveness },
      say: () => ({ floor: this.#republisher.floor, open: open() }),
      lost: () => this.resync(),
      acknowledged: () => this.#acknowledged(),
    });
    this.#heartbeat.send();
  }

  get asking(): boolean {
    return this.health.asking;
  }

  get trusted(): boolean {
    return this.health.trusted;
  }

  get split(): number {
    return 2 * this.liveness.live;
  }

  nextSeq(): number {
    return ++this.#seq;
  }

  ask<T>(call: () => PromiseLike<T>, answered: (answer: T) => void, failed: () => void): void {
    this.questions.ask(call, (answer) => {
      answered(answer);
      this.health.answered();
    }, (error) => {
      failed();
      this.health.failed(error);
      // Not at once: a store that acknowledges signs and answers nothing else would be asked without a pause.
      if (this.health.status === "down") this.#heartbeat.hurry();
    });
  }

  isLeft(entry: StoreEntry): boolean {
    const answer = entry.id !== this.id && this.liveness.isLeft(entry, this.#clock.now());
    if (answer === "perhaps") this.#heartbeat.hurry();
    return answer === true;
  }

  needs(key: HostedKey): void {
    if (this.closing || this.health.status === "closed") return;
    this.#needy.add(key);
    // It was silent for too long to rely on anything, and has not noticed yet.
    if (this.health.status === "up" && !this.trusted) this.#heartbeat.send();
  }

  tickLater(key: HostedKey): void {
    this.#ticking.add(key);
    this.#tickCancel ??= this.#clock.after(TICK_MS, () => this.#tick());
  }

  unanswered(key: HostedKey, max: number, ticket: Ticket): void {
    if (this.#onStoreDown === "closed" || this.closing) return ticket.refused(key, "unavailable");
    key.force(max);
    ticket.granted(key);
  }

  /** Says again what is open here, and relies on nothing that the store has granted before. */
  resync(): void {
    this.epoch++;
    for (const { negative } of Object.values(this.tables)) negative.clear();
    this.#republish(URGENT_MS);
  }

  /** Leaves nothing in the store, as far as it answers. */
  async close(): Promise<void> {
    this.#republisher.stop();
    await this.#heartbeat.stop();
    this.closing = true;
    this.#tickCancel?.();
    this.#servingCancel?.();
    await this.#empty();
    this.health.close();
    await new Promise<void>((resolve) => {
      this.questions.ask(() => this.store.leave(this.id), () => resolve(), () => resolve());
    });
    this.questions.close();
  }

  /** Waits until every key has been emptied, in portions, or the store is away. */
  async #empty(): Promise<void> {
    const portion: Promise<void>[] = [];
    for (const key of this.#keys()) {
      portion.push(key.empty());
      if (portion.length === PORTION) await Promise.all(portion.splice(0));
    }
    await Promise.all(portion);
  }

  *#keys(): Generator<SharedKey> {
    for (const table of Object.values(this.tables)) yield* table.keys();
  }

  #republish(milliseconds: number): void {
    this.#republishedAt = this.#clock.now();
    const size = Object.values(this.tables).reduce((sum, table) => sum + table.size, 0);
    this.#republisher.start(size, milliseconds);
  }

  #acknowledged(): void {
    this.#servingCancel?.();
    this.#serve();
    if (this.#clock.now() - this.#republishedAt >= this.#period) this.#republish(this.#period / 3);
  }

  /** In portions, since there may be a million. */
  #serve(): void {
    this.#servingCancel = undefined;
    if (!this.asking) return;
    let left = PORTION;
    for (const key of this.#needy) {
      if (left-- === 0) break;
      this.#needy.delete(key);
      key.pump();
    }
    if (this.#needy.size > 0) this.#servingCancel = this.#clock.after(PAUSE_MS, () => this.#serve());
  }

  #tick(): void {
    this.#tickCancel = undefined;
    const keys = [...this.#ticking];
    this.#ticking.clear();
    for (const key of keys) if (key.tick()) this.tickLater(key);
  }
}
