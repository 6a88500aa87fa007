/**
 * The evictions of one limiter, on all listeners and servers that it has.
 *
 * @module
 */

import type { Sweep } from "../core/counts.ts";
import { type LimiterInternals, ownInternals } from "../core/internals.ts";
import type { Limiter } from "../core/limiter.ts";
import type { Limits } from "../core/limits.ts";
import type { Peer } from "../core/peer.ts";
import type { Admission, Slot } from "../core/slot.ts";
import type { TokenBucket } from "../core/token_bucket.ts";
import type { Eviction } from "./eviction_options.ts";
import { observe } from "./observe.ts";
import { type Place, RankedClients } from "./ranked_clients.ts";

/** A listener or server whose connections may be closed, and in whose name others are. */
export interface Owner {
  /** Its evictions per second. */
  readonly budget: TokenBucket;
  /** Calls the hook, and closes a connection unless that has released its slot. */
  evict(conn: unknown, slot: Slot, eviction: Eviction): void;
}

/** A connection that was admitted by an owner. */
interface Held {
  readonly slot: Slot;
  /** The peer that the limiter was asked for. */
  readonly peer: Peer;
  conn?: unknown;
  owner?: Owner;
  /** Its place, once it may be closed. */
  place?: Place<Held>;
}

/**
 * The least that the client with most connections must have more than the newcomer's client has, the newcomer not counted.
 * It still has more than that afterwards, so that it gets nothing back from it: the sum of squares of the connections of all
 * clients falls with each eviction, and they end by themselves.
 */
const MORE = 3;

/**
 * Clients that never had or wanted more connections at a time than this keep all of them: they are not the reason for the lack
 * of room. Of a small server, it is a hundredth.
 */
const POLITE = 4;

function politeIn({ maxTotal }: Limits): number {
  return Math.min(POLITE, Math.floor(maxTotal / 100));
}

const evictionsOf = new WeakMap<object, Evictions>();

/** Closes connections of a limiter in favour of others. */
export class Evictions {
  readonly #limiter: Limiter;
  readonly #internals: Required<LimiterInternals>;
  /** The connections, by their slots, which are released exactly once. */
  readonly #held = new Map<Slot, Held>();
  readonly #ranked = new RankedClients<Held>();
  /** The limits by which the clients are ranked. */
  #limits: Limits | undefined;
  #polite = 0;
  /** In whose name the limiter is being asked, and for whom. */
  #asking: { readonly owner: Owner; readonly peer: Peer } | undefined;

  /**
   * The evictions of a limiter.
   *
   * @throws {TypeError} If it is not a `Limiter`.
   */
  static of(limiter: object): Evictions {
    const internals = ownInternals(limiter);
    if (internals?.levelsOf === undefined || !("limits" in limiter)) {
      throw new TypeError('whenFull must be "refuse" with a limiter that is not a Limiter, got "evict"');
    }
    let evictions = evictionsOf.get(internals.counts);
    if (evictions === undefined) {
      evictions = new Evictions(limiter as Limiter, internals as Required<LimiterInternals>);
      evictionsOf.set(internals.counts, evictions);
    }
    return evictions;
  }

  private constructor(limiter: Limiter, internals: Required<LimiterInternals>) {
    this.#limiter = limiter;
    this.#internals = internals;
    internals.counts.sweeps.add(this.#makeRoom);
    observe(limiter, { admitted: ignore, refused: ignore, released: (slot) => this.#released(slot) });
  }

  /** Asks the limiter, and makes room for a connection that would be refused for the total. */
  admit(peer: Peer, owner: Owner): Admission {
    this.#asking = { owner, peer };
    let admission: Admission;
    try {
      admission = this.#limiter.tryAccept(peer);
    } finally {
      this.#asking = undefined;
    }
    // What only a dry run admits takes no room.
    if (admission.admitted && admission.wouldRefuse === undefined) {
      this.#held.set(admission, { slot: admission, peer });
    }
    return admission;
  }

  /** Notes the connection that has a slot. From now on it may be closed. Ignores the slots of others. */
  enter(slot: Slot, conn: unknown, owner: Owner): void {
    const held = this.#held.get(slot);
    if (held === undefined) return;
    held.conn = conn;
    held.owner = owner;
    held.place ??= this.#ranked.add(slot.client, held);
  }

  #released(slot: Slot): void {
    const held = this.#held.get(slot);
    if (held === undefined) return;
    this.#held.delete(slot);
    if (held.place !== undefined) this.#ranked.delete(held.place);
  }

  /** Is called before each refusal, whoever has asked the limiter. */
  readonly #makeRoom: Sweep = (reason, client) => {
    const asking = this.#asking;
    if (asking === undefined || reason !== "total") return;
    // Hooks may ask the limiter, too, and not in this name.
    this.#asking = undefined;
    const { counts } = this.#internals;
    // Connections that have ended are better than others that have not.
    for (const sweep of counts.sweeps) if (sweep !== this.#makeRoom) sweep(reason, client);
    const { maxTotal, dryRun } = this.#limiter.limits;
    // After a lowered limit, one connection less is no room.
    if (counts.open !== maxTotal || dryRun) return;
    const victim = this.#victimFor(asking.peer, client);
    if (victim === undefined || !asking.owner.budget.take()) return;
    counts.evicted++;
    const { conn, slot, owner, place } = victim;
    owner!.evict(conn, slot, { client: place!.client.name, newcomer: client() });
    // Some runtimes tell later that a connection is closed.
    slot.release();
  };

  #victimFor(peer: Peer, client: () => string): Held | undefined {
    const { limits } = this.#limiter;
    if (limits !== this.#limits) {
      this.#limits = limits;
      this.#ranked.rerank(this.#polite = politeIn(limits));
    }
    const open = this.#limiter.openFor(peer);
    if (open >= this.#polite) this.#ranked.want(client(), open + 1);
    const least = open + MORE;
    if ((this.#ranked.most?.size ?? 0) < least) return undefined;
    const levels = this.#internals.levelsOf(peer);
    // Room in the total is of no use to who has none at another level.
    if (!levels?.every(({ level, open, max }) => open < max || level === "total")) return undefined;
    for (let most; (most = this.#ranked.most) !== undefined && most.size >= least;) {
      const { conn } = most.newest;
      if (!this.#internals.isUnlimited(conn.peer)) return conn;
      this.#ranked.spare(most);
    }
    return undefined;
  }
}

function ignore(): void {}
