/**
 * Deciding on connections under a shared limit.
 *
 * @module
 */

import { callHook } from "../admission/hooks.ts";
import { DrySlot } from "../core/apart_slots.ts";
import { CountedSlot } from "../core/counted_slot.ts";
import type { Counts } from "../core/counts.ts";
import { internalsOf } from "../core/internals.ts";
import type { Level } from "../core/levels_of.ts";
import { Limiter } from "../core/limiter.ts";
import type { LimitsOptions } from "../core/limits.ts";
import type { Peer } from "../core/peer.ts";
import type { RefusalReason } from "../core/reasons.ts";
import type { Admission, Slot } from "../core/slot.ts";
import type { Clock } from "./clock.ts";
import { type Explained, explainShared } from "./explain_shared.ts";
import { type LevelNeed, levelNeeds, SHARED_LEVELS } from "./level_needs.ts";
import type { CheckedOptions } from "./options.ts";
import type { SharedExplanation } from "./shared_explanation.ts";
import type { SharedKey } from "./shared_key.ts";
import { SharedSlot } from "./shared_slot.ts";
import { Sharing } from "./sharing.ts";
import type { SharedStore } from "./store.ts";
import { Ticket } from "./ticket.ts";
import { unobserved } from "./unobserved.ts";

/** A connection that has been counted here, and the keys by which it is to be counted in the store. */
interface Request {
  readonly peer: Peer;
  readonly slot: Slot;
  readonly needs: readonly LevelNeed[];
  readonly keys: readonly SharedKey[];
  /** Those that the store has to be asked for. */
  readonly without: readonly SharedKey[];
}

/**
 * Admits connections: first here, then at all levels of the shared limit. Levels that have room which the store has granted before
 * are not asked. The others are asked at once. If one of them refuses, what the rest has granted goes back.
 */
export class SharedAdmission implements Explained {
  readonly local: Limiter;
  readonly sharing: Sharing;
  /** Connections that wait for the store. */
  waiting = 0;
  readonly #counts: Counts;
  readonly #levelsOf: (peer: Peer) => readonly Level[] | undefined;
  readonly #options: CheckedOptions;
  #closed: Promise<void> | undefined;

  constructor(limits: LimitsOptions, store: SharedStore, options: CheckedOptions, clock: Clock, id: string) {
    this.local = new Limiter(limits);
    const { counts, levelsOf } = internalsOf(this.local)!;
    this.#counts = counts;
    this.#levelsOf = levelsOf!;
    this.#options = options;
    this.sharing = new Sharing({
      ...options,
      ...{ id, store, clock },
      changed: (status, cause) => callHook(options.onStatus, undefined, status, cause),
      open: () => counts.open,
    });
  }

  /** The levels at which a connection needs room. None if its peer cannot be identified. */
  levelsOf(peer: Peer): readonly Level[] {
    return this.#levelsOf(peer) ?? [];
  }

  /** Decides on a connection, at once if nobody needs to be asked. */
  tryAccept(peer: Peer): Admission | Promise<Admission> {
    if (this.isClosed) return this.#counts.refuse("unavailable", peer);
    const slot = this.#countHere(peer);
    if (!slot.admitted) return slot;
    if (slot.wouldRefuse !== undefined) return slot;
    const needs = levelNeeds(this.levelsOf(peer), this.#counts, this.local.limits.maxTotal);
    const { tables, health } = this.sharing;
    const full = needs.find(({ level, key, max, exempt }) => !exempt && max !== Infinity && tables[level].isFull(key));
    if (full !== undefined) return this.#refuse(slot, SHARED_LEVELS[full.level], peer, needs);
    const keys = needs.map(({ level, key }) => tables[level].get(key));
    const without = keys.filter((key, i) => !key.take(needs[i]!.max, needs[i]!.exempt));
    if (without.length === 0) return this.#admit(slot, keys);
    const request = { peer, slot, needs, keys, without };
    if (health.status === "down") return this.#decideAlone(request);
    return this.isBusy ? this.#giveBack(request, "pending") : this.#ask(request);
  }

  /** Explains what it would decide. */
  explain(peer: Peer): Promise<SharedExplanation> {
    return explainShared(peer, this);
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  get isBusy(): boolean {
    return this.waiting >= this.#options.maxWaiting;
  }

  get onStoreDown(): Explained["onStoreDown"] {
    return this.#options.onStoreDown;
  }

  /** Leaves nothing in the store. */
  close(): Promise<void> {
    return this.#closed ??= this.sharing.close();
  }

  #countHere(peer: Peer): Admission {
    const counts = this.#counts;
    if (this.onStoreDown === "open" && this.sharing.health.status === "down") {
      const client = this.levelsOf(peer)[0];
      if (client?.key !== undefined && client.max !== 0) {
        counts.add(client.key, counts.openFor(client.key), counts.aggregatesOf(client.key));
        return new CountedSlot(client.key, counts);
      }
    }
    const admission = unobserved(counts, () => this.local.tryAccept(peer));
    if (!admission.admitted) {
      counts.observer?.refused(admission.reason, peer, counts.asked);
    } else if (admission.wouldRefuse !== undefined) {
      this.#observeDry(admission, admission.wouldRefuse.reason, peer);
    }
    return admission;
  }

  #ask(request: Request): Promise<Admission> {
    const { slot, needs, keys, without } = request;
    this.waiting++;
    return new Promise((resolve) => {
      const ticket = new Ticket(without, (reason) => {
        this.waiting--;
        resolve(reason === undefined ? this.#admit(slot, keys) : this.#giveBack(request, reason));
      });
      for (const key of without) key.wait(needs[keys.indexOf(key)]!.max, ticket);
    });
  }

  #decideAlone(request: Request): Admission {
    const { slot, needs, keys, without } = request;
    if (this.onStoreDown === "closed") return this.#giveBack(request, "unavailable");
    for (const key of without) key.force(needs[keys.indexOf(key)]!.max);
    return this.#admit(slot, keys);
  }

  #admit(slot: Slot, keys: readonly SharedKey[]): Slot {
    const shared = new SharedSlot(slot, this.#counts, keys);
    this.#counts.observer?.admitted(shared);
    return shared;
  }

  #giveBack({ peer, slot, needs, keys, without }: Request, reason: RefusalReason): Admission {
    for (const key of keys) {
      if (without.includes(key)) key.drop();
      else key.release();
    }
    return this.#refuse(slot, reason, peer, needs);
  }

  /** It was admitted here and is refused nevertheless, or would be, if this were no dry run. */
  #refuse(slot: Slot, reason: RefusalReason, peer: Peer, needs: readonly LevelNeed[]): Admission {
    const counts = this.#counts;
    const { key } = needs[0]!;
    unobserved(counts, () => slot.release());
    counts.admitted--;
    // Others may have been asked for since.
    counts.asked = key;
    if (!this.local.limits.dryRun) return counts.refuse(reason, peer);
    const dry = new DrySlot(key!, counts, reason);
    this.#observeDry(dry, reason, peer);
    return dry;
  }

  #observeDry(slot: Slot, reason: RefusalReason, peer: Peer): void {
    const { observer, asked } = this.#counts;
    observer?.wouldRefuse?.(reason, peer, asked);
    observer?.admitted(slot);
  }
}
