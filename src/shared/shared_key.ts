/**
 * One key of a shared limit: what this instance has of it.
 *
 * @module
 */

import type { ClientKey } from "../core/client_key.ts";
import { Allowance } from "./allowance.ts";
import { checkReply } from "./check_reply.ts";
import { EntryAge } from "./entry_age.ts";
import type { HostedKey, KeyHost, KeyLevel } from "./key_host.ts";
import { SHARED_LEVELS } from "./level_needs.ts";
import type { CountReply, CountRequest } from "./store.ts";
import type { Ticket } from "./ticket.ts";

/**
 * Counts the connections of a client, of an aggregate, or of all clients, together with other instances.
 *
 * What the store has for this instance is never less than what is open here. So a connection is admitted only on what the store
 * has granted (`#held`), and what closes is subtracted here before it is there. There is one request at a time; whoever comes
 * meanwhile waits for the next one. Requests say how many there are and not how many more, so the last one is all that counts.
 */
export class SharedKey implements HostedKey {
  /** Connections that count here. */
  open = 0;
  readonly key: ClientKey;
  readonly name: string;
  readonly #level: KeyLevel;
  readonly #host: KeyHost;
  readonly #allowance: Allowance;
  /** At least so many does the store have for this instance, unless it has lost them. */
  #held = 0;
  /** Whether the store may have more than that, or nothing any more. */
  #unsure = false;
  #busy = false;
  /** More are open than there may be, as far as is known. Then what closes here makes no room here. */
  #over = false;
  /** Whether what is left by the dead has been removed already for those who wait. */
  #reaped = false;
  readonly #age = new EntryAge();
  #epoch: number;
  #max = Infinity;
  #waiting: Ticket[] = [];
  #emptied: (() => void) | undefined;

  constructor(key: ClientKey, name: string, level: KeyLevel, host: KeyHost) {
    this.key = key;
    this.name = name;
    this.#level = level;
    this.#host = host;
    this.#epoch = host.epoch;
    this.#allowance = new Allowance(level.leases);
  }

  /** What the sequence numbers of the entry of this instance start at, if it may have one. */
  get oldest(): number | undefined {
    return this.#age.oldest;
  }

  /** Whether nothing of it is left to say. */
  get isIdle(): boolean {
    return (this.open === 0 || this.#host.closing) && this.#held === 0 && !this.#unsure && !this.#busy &&
      this.#waiting.length === 0;
  }

  /** Whether there is room that the store has granted before. */
  get hasRoom(): boolean {
    this.#refresh();
    return this.open < this.#held && !this.#over && this.#host.trusted;
  }

  /** Whether it would count a connection; without `total`, what the store has of all instances: without asking. */
  wouldTake(max: number, total: number = Infinity): boolean {
    if (max >= this.#max && this.hasRoom) return true;
    // Others have what this instance has not. Those who wait here come first.
    return total - this.#held + this.open + this.#waiting.length < max;
  }

  /** Counts a connection if nobody needs to be asked, or if it is exempt. */
  take(max: number, exempt: boolean): boolean {
    if (max < this.#max) this.#over = true;
    this.#max = max;
    if (max !== Infinity && !this.hasRoom) {
      if (!exempt) return false;
      this.force(max);
      this.pump();
      return true;
    }
    this.open++;
    this.#allowance.use();
    return true;
  }

  /** Counts a connection, whether there is room or not. */
  force(max: number): void {
    this.#max = max;
    this.open++;
    if (max !== Infinity) this.#host.needs(this);
  }

  /** Asks the store to count a connection. */
  wait(max: number, ticket: Ticket): void {
    this.#max = max;
    this.#waiting.push(ticket);
    this.pump();
  }

  /** A connection has closed. */
  release(): void {
    this.open--;
    if (this.#waiting.length > 0 && this.hasRoom) return this.#hand();
    this.pump();
  }

  /** Says again what is open here. */
  republish(): void {
    this.#refresh();
    if (this.#max === Infinity || this.open === 0 && this.#held === 0) return;
    if (!this.#busy) this.#unsure = true;
    this.pump();
  }

  /** Some time has passed. Returns whether there is more to come. */
  tick(): boolean {
    this.#refresh();
    const keep = this.#allowance.tick(this.open, this.#held - this.open, this.#max, this.#host.split);
    // It asks even if nothing changes, since the others may need it by now.
    if (!this.#busy && this.#host.asking && this.open < this.#held) this.#ask(this.open + keep, 0);
    return this.#busy || this.open < this.#held;
  }

  /** The store is away, or asked no more: whoever waits is answered. */
  giveUp(): void {
    for (const ticket of this.#waiting.splice(0)) this.#host.unanswered(this, this.#max, ticket);
  }

  /** Leaves nothing in the store. Resolves when it is done, or the store does not answer. */
  empty(): Promise<void> {
    this.giveUp();
    return new Promise((resolve) => {
      this.#emptied = resolve;
      this.pump();
    });
  }

  /** It was asked for, but is not used. */
  drop(): void {
    if (this.isIdle) this.#level.delete(this);
  }

  /** Does what there is to do, if anything. */
  pump(): void {
    this.#refresh();
    if (this.#busy) return;
    if (!this.#host.asking) {
      this.#emptied?.();
      return this.#host.needs(this);
    }
    if (this.#waiting.length > 0) return this.#ask(this.open, this.#waiting.length);
    const target = this.#target();
    if (this.#unsure || this.#held !== target) return this.#ask(target, 0);
    if (this.#held > this.open) return this.#host.tickLater(this);
    if (this.isIdle) this.#level.delete(this);
    this.#emptied?.();
  }

  /** What the store is to have. */
  #target(): number {
    if (this.#host.closing || this.#max === Infinity) return 0;
    return this.open + this.#allowance.keep(this.open, this.#held - this.open, this.#max, this.#host.split);
  }

  /** If the store may have lost what it knew, nothing that it has granted counts. */
  #refresh(): void {
    if (this.#epoch === this.#host.epoch) return;
    this.#epoch = this.#host.epoch;
    if (this.oldest !== undefined) this.#unsure = true;
    this.#held = 0;
  }

  #ask(have: number, want: number): void {
    const split = this.#level.leases ? this.#host.split : 0;
    const { id, store } = this.#host;
    const seq = this.#host.nextSeq();
    const since = this.#age.sent(seq, have + want === 0);
    const max = this.#max === Infinity ? 0 : this.#max;
    const request = { key: this.name, id, seq, since, unsure: this.#unsure, have, want, max, split };
    this.#busy = true;
    // From now on the store may have as few as this.
    if (have < this.#held) {
      this.#held = have;
      this.#level.negative.delete(this.key);
    }
    const epoch = this.#epoch;
    this.#host.ask(() => store.count(request), (reply) => this.#replied(request, reply, epoch), () => this.#failed());
  }

  #replied(request: CountRequest, reply: CountReply, epoch: number): void {
    checkReply(request, reply);
    this.#busy = false;
    this.#refresh();
    if (epoch !== this.#epoch || !this.#host.trusted) {
      // The store, or the others, may have dropped it meanwhile.
      this.#unsure = true;
      return this.pump();
    }
    this.#held = request.have + reply.granted;
    this.#over = this.#held + reply.others > request.max;
    this.#age.oldest = request.seq;
    this.#unsure = false;
    this.#allowance.others = reply.others;
    this.#hand();
    if (this.#waiting.length > 0 && reply.granted < request.want) return this.#denied(reply);
    this.#reaped = false;
    this.pump();
  }

  /** Admits those who wait, as far as there is room. */
  #hand(): void {
    while (this.#waiting.length > 0 && this.hasRoom) {
      const ticket = this.#waiting.shift()!;
      this.open++;
      this.#allowance.use();
      ticket.granted(this);
    }
  }

  #denied({ entries = [] }: CountReply): void {
    const left = this.#reaped ? [] : entries.filter((entry) => this.#host.isLeft(entry));
    this.#busy = this.#reaped = left.length > 0;
    if (left.length > 0) {
      return this.#host.ask(() => this.#host.store.reap(this.name, left), () => {
        this.#busy = false;
        this.pump();
      }, () => this.#failed());
    }
    this.#level.refused(this);
    for (const ticket of this.#waiting.splice(0)) ticket.refused(this, SHARED_LEVELS[this.#level.level]);
    this.pump();
  }

  #failed(): void {
    this.#busy = false;
    this.#reaped = false;
    this.#unsure = true;
    this.#host.needs(this);
    this.#emptied?.();
    this.giveUp();
  }
}
